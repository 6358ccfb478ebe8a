/** Shell scripts that build the lab's network: pure text, run inside the lab's own namespaces only. */
import type { HostPlan, LabPlan, NodePlan, Port } from "./plan.ts";

/** Name of a port's other end in the switch, such as "lan-node-1"; at most 15 characters. */
export const switchPort = (bridge: Port["bridge"], host: string): string => `${bridge}-${host}`;

const ipBatch = (lines: readonly string[]): string => ["ip -batch - <<'END'", ...lines, "END"].join("\n");

/** A setting below /proc/sys/net that is written where the kernel has it. */
const sysctl = (path: string, value: number): string =>
  `[ ! -e /proc/sys/net/${path} ] || echo ${String(value)} > /proc/sys/net/${path}`;

/** Script for the switch: both bridges and a pair of interfaces to each port; `netnsOf` tells a namespace's file. */
export function switchScript(plan: LabPlan, netnsOf: (namespace: string) => string): string {
  const bridges = ["lan", "mgmt"].flatMap((name) => [
    `link add ${name} type bridge mcast_snooping 0`,
    `link set ${name} up`,
  ]);
  const pairs = [...plan.hosts, ...plan.nodes].flatMap(({ name: host, ports }) =>
    ports.flatMap((port) => {
      const end = switchPort(port.bridge, host);
      return [
        `link add ${end} type veth peer name ${port.name} address ${port.mac} netns ${netnsOf(host)}`,
        `link set ${end} master ${port.bridge} up`,
      ];
    }),
  );
  return [
    sysctl("ipv6/conf/default/disable_ipv6", 1),
    sysctl("bridge/bridge-nf-call-iptables", 0),
    sysctl("bridge/bridge-nf-call-ip6tables", 0),
    sysctl("bridge/bridge-nf-call-arptables", 0),
    ipBatch(["link set lo up", ...bridges, ...pairs]),
  ].join("\n");
}

/** Settings of a namespace before it has interfaces: no address checks that only take time, no foreign routes. */
export function settingsScript(isNode: boolean): string {
  const everywhere = ["all", "default"].flatMap((scope) => [
    sysctl(`ipv4/conf/${scope}/rp_filter`, 0), // answers leave by another interface than requests came in
    sysctl(`ipv4/conf/${scope}/send_redirects`, 0),
    sysctl(`ipv4/conf/${scope}/accept_redirects`, 0),
    sysctl(`ipv6/conf/${scope}/accept_redirects`, 0),
    sysctl(`ipv6/conf/${scope}/accept_dad`, 0),
    sysctl(`ipv6/conf/${scope}/accept_ra`, 0),
  ]);
  const forwarding = [sysctl("ipv4/ip_forward", 1), sysctl("ipv6/conf/all/forwarding", 1)];
  return [...everywhere, ...(isNode ? forwarding : [])].join("\n");
}

function portLines(ports: readonly Port[]): readonly string[] {
  return [
    "link set lo up",
    ...ports.flatMap(({ name, addresses }) => [
      ...addresses.map((address) =>
        address.includes(":") ? `addr add ${address} dev ${name} nodad` : `addr add ${address} dev ${name}`,
      ),
      `link set ${name} up`,
    ]),
  ];
}

const routeTo = (target: string, via: string): string => `route add ${target} via ${via}`;

/** Routes to the pods of these nodes over the management network; one family per node's first and second network. */
function podRoutes(nodes: readonly NodePlan[]): readonly string[] {
  return nodes.flatMap(({ podCidrs, mgmt }) =>
    podCidrs.flatMap((cidr, at) => (mgmt[at] === undefined ? [] : [routeTo(cidr, mgmt[at])])),
  );
}

const defaultRoutes = (plan: LabPlan): readonly string[] =>
  plan.routerAddresses.map((address) => routeTo("default", address));

/** Script for the control plane, the client or the router, once its interfaces are there. */
export function hostScript(plan: LabPlan, host: HostPlan): string {
  const routes: Readonly<Record<string, readonly string[]>> = {
    control: podRoutes(plan.nodes),
    client: defaultRoutes(plan),
  };
  return ipBatch([...portLines(host.ports), ...(routes[host.name] ?? [])]);
}

/**
 * Script for a node, once its interfaces are there. Pods and the API server are reached over the management network,
 * so that cutting the LAN cuts neither; what pods send to the LAN leaves under the node's address.
 */
export function nodeScript(plan: LabPlan, node: NodePlan): string {
  const others = plan.nodes.filter(({ name }) => name !== node.name);
  const services = plan.serviceCidrs.map((cidr) => `route add ${cidr} dev mgmt0`);
  const masquerade = plan.clusterCidrs.map(
    (cidr) => `oifname "lan0" ${cidr.includes(":") ? "ip6" : "ip"} saddr ${cidr} masquerade`,
  );
  return [
    ipBatch([...portLines(node.ports), ...podRoutes(others), ...services, ...defaultRoutes(plan)]),
    "nft -f - <<'END'",
    "table inet berth-lab {",
    "  chain postrouting {",
    "    type nat hook postrouting priority srcnat;",
    ...masquerade.map((rule) => `    ${rule}`),
    "  }",
    "}",
    "END",
  ].join("\n");
}
