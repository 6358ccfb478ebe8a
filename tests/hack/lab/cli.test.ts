import { expect, test } from "vitest";
import { parseCommandLine, type Command } from "../../../hack/src/lab/cli.ts";

const parse = (line: string) => parseCommandLine(line.split(" ").filter(Boolean), "berth");

const commands: readonly { readonly line: string; readonly command: Command }[] = [
  { line: "up", command: { verb: "up", shape: { nodes: 3, ipv6: false, audit: false } } },
  { line: "up --ipv6 --nodes 5", command: { verb: "up", shape: { nodes: 5, ipv6: true, audit: false } } },
  { line: "up --audit", command: { verb: "up", shape: { nodes: 3, ipv6: false, audit: true } } },
  { line: "down", command: { verb: "down" } },
  { line: "kubeconfig --raw", command: { verb: "kubeconfig", raw: true } },
  { line: "exec client -- ip -br a", command: { verb: "exec", namespace: "client", command: ["ip", "-br", "a"] } },
  { line: "exec client ip a", command: { verb: "exec", namespace: "client", command: ["ip", "a"] } },
  { line: "exec client -- sh -- x", command: { verb: "exec", namespace: "client", command: ["sh", "--", "x"] } },
  { line: "load a.tar b.tar", command: { verb: "load", archives: ["a.tar", "b.tar"] } },
  { line: "cut node-1 lan", command: { verb: "cut", node: "node-1", bridge: "lan", silent: false } },
  { line: "cut node-1 mgmt --silent", command: { verb: "cut", node: "node-1", bridge: "mgmt", silent: true } },
  { line: "heal node-2", command: { verb: "heal", node: "node-2" } },
  {
    line: "kill node-1 announcer",
    command: { verb: "signal", signal: "SIGKILL", node: "node-1", container: "announcer" },
  },
  {
    line: "stop node-1 announcer",
    command: { verb: "signal", signal: "SIGSTOP", node: "node-1", container: "announcer" },
  },
  {
    line: "cont node-1 announcer",
    command: { verb: "signal", signal: "SIGCONT", node: "node-1", container: "announcer" },
  },
  { line: "api stop", command: { verb: "api", action: "stop" } },
  { line: "expose 3000", command: { verb: "expose", port: 3000 } },
];

test.each(commands)("reads '$line'", ({ line, command }) => {
  expect(parse(line)).toEqual({ ok: true, lab: "berth", command });
});

test("takes the lab's name before the command", () => {
  expect(parse("--name two status")).toEqual({ ok: true, lab: "two", command: { verb: "status" } });
});

test.each([
  { line: "", refusal: "no command is given; see hack/lab help" },
  { line: "dance", refusal: 'there is no command "dance"; see hack/lab help' },
  { line: "toString", refusal: 'there is no command "toString"; see hack/lab help' },
  { line: "up --nodes 0", refusal: '--nodes is "0"; give a number from 1 to 20' },
  { line: "up --nodes", refusal: '--nodes is ""; give a number from 1 to 20' },
  { line: "up --fast", refusal: 'up does not know "--fast"; it takes --nodes N, --ipv6 and --audit' },
  { line: "exec client", refusal: "exec needs a namespace and a command; write exec client -- ip address" },
  { line: "cut node-1", refusal: "cut needs a node and a network; write cut node-1 lan or cut node-1 mgmt" },
  { line: "cut node-1 lan --now", refusal: 'cut does not know "--now"; it takes --silent' },
  { line: "heal", refusal: "heal needs a node; write heal node-1" },
  { line: "kill node-1", refusal: "kill needs a node and a container; write kill node-1 announcer" },
  { line: "api restart", refusal: 'api is told "restart"; write api stop or api start' },
  { line: "expose http", refusal: 'expose is given "http"; give a port from 1 to 65535' },
  { line: "load", refusal: "load needs an archive; write load image.tar" },
])("refuses '$line' in one sentence", ({ line, refusal }) => {
  expect(parse(line)).toEqual({ ok: false, refusal });
});

test.each(["", "../up", "Two", "a".repeat(21), "2nd"])("refuses the lab name '%s'", (name) => {
  expect(parseCommandLine(["status"], name).ok).toBe(false);
});
