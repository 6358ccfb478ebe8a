/*
 * The least that a program can take to answer an ARP request: one recv(2) that waits, one send(2), no rules.
 * arp-echo INTERFACE IP; run inside a network namespace, answers for the address until it is killed.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { SENDER_MAC = 22, SENDER_IP = 28, TARGET_MAC = 32, TARGET_IP = 38, LENGTH = 42 };

int main(int count, char **words) {
    struct in_addr ip;
    unsigned index = count == 3 ? if_nametoindex(words[1]) : 0;
    if (index == 0 || inet_pton(AF_INET, words[2], &ip) != 1) {
        fprintf(stderr, "usage: arp-echo INTERFACE IP\n");
        return 2;
    }
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TARGET_IP),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(ip.s_addr), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {sizeof instructions / sizeof *instructions, instructions};
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = (int)index};
    socklen_t length = sizeof address;
    int socket_ = socket(AF_PACKET, SOCK_RAW, 0);
    if (setsockopt(socket_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
        bind(socket_, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(socket_, (struct sockaddr *)&address, &length) != 0) {
        perror("arp-echo: packet socket");
        return 1;
    }
    for (;;) {
        unsigned char request[2048], reply[LENGTH];
        if (recv(socket_, request, sizeof request, 0) < LENGTH || request[21] != 1) continue;
        memcpy(reply, request + 6, 6);
        memcpy(reply + 6, address.sll_addr, 6);
        memcpy(reply + 12, request + 12, 8);
        reply[20] = 0, reply[21] = 2;
        memcpy(reply + SENDER_MAC, address.sll_addr, 6);
        memcpy(reply + SENDER_IP, request + TARGET_IP, 4);
        memcpy(reply + TARGET_MAC, request + SENDER_MAC, 6);
        memcpy(reply + TARGET_IP, request + SENDER_IP, 4);
        if (send(socket_, reply, sizeof reply, 0) < 0) perror("arp-echo: reply lost");
    }
}
