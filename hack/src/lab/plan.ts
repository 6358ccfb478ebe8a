/** The address plan of a lab: pure, no effects. Every lab uses the same addresses, each in namespaces of its own. */

/** Nodes a lab may have: node-N takes the addresses 10 + N, the client has 50. */
export const MAX_NODES = 20;

export type Port = {
  /** Interface name inside the namespace. */
  readonly name: "lan0" | "mgmt0";
  readonly bridge: Bridge;
  readonly mac: string;
  /** Addresses with prefix length. */
  readonly addresses: readonly string[];
};

export type Bridge = "lan" | "mgmt";

export type NodePlan = {
  readonly name: string;
  readonly index: number;
  /** Addresses on the management network; the first is the IPv4 one, a second is IPv6. */
  readonly mgmt: readonly string[];
  /** Pod networks of this node, IPv4 first. */
  readonly podCidrs: readonly string[];
  readonly ports: readonly Port[];
};

export type HostPlan = { readonly name: string; readonly ports: readonly Port[] };

export type LabPlan = {
  readonly ipv6: boolean;
  readonly nodes: readonly NodePlan[];
  /** Namespaces beside the nodes that hang on a bridge. */
  readonly hosts: readonly HostPlan[];
  readonly apiAddress: string;
  /** First addresses of the service networks: the one the API server gives itself. */
  readonly apiServiceAddresses: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly clusterCidrs: readonly string[];
  readonly routerAddresses: readonly string[];
};

const LAN6 = "fd00:1::";
const MGMT6 = "fd00:30::";

function mac(bridge: Bridge, host: number): string {
  const hex = host.toString(16).padStart(2, "0");
  return `02:be:00:00:${bridge === "lan" ? "01" : "30"}:${hex}`;
}

function lanPort(host: number): Port {
  return {
    name: "lan0",
    bridge: "lan",
    mac: mac("lan", host),
    addresses: [`192.168.1.${String(host)}/24`, `${LAN6}${String(host)}/64`],
  };
}

function mgmtAddresses(host: number, ipv6: boolean): readonly string[] {
  return [`172.30.0.${String(host)}`, ...(ipv6 ? [`${MGMT6}${String(host)}`] : [])];
}

function mgmtPort(host: number, ipv6: boolean): Port {
  const [v4, v6] = mgmtAddresses(host, ipv6);
  return {
    name: "mgmt0",
    bridge: "mgmt",
    mac: mac("mgmt", host),
    addresses: [`${v4 ?? ""}/24`, ...(v6 === undefined ? [] : [`${v6}/64`])],
  };
}

function nodePlan(index: number, ipv6: boolean): NodePlan {
  const host = 10 + index;
  return {
    name: `node-${String(index)}`,
    index,
    mgmt: mgmtAddresses(host, ipv6),
    podCidrs: [`10.244.${String(index)}.0/24`, ...(ipv6 ? [`fd00:10:244:${String(index)}::/64`] : [])],
    ports: [lanPort(host), mgmtPort(host, ipv6)],
  };
}

/** Every address of a lab with `nodes` nodes; `ipv6` makes pods and Services dual-stack. */
export function planLab(nodes: number, ipv6: boolean): LabPlan {
  return {
    ipv6,
    nodes: Array.from({ length: nodes }, (_, at) => nodePlan(at + 1, ipv6)),
    hosts: [
      { name: "control", ports: [mgmtPort(1, ipv6)] },
      { name: "router", ports: [lanPort(1)] },
      { name: "client", ports: [lanPort(50)] },
    ],
    apiAddress: "172.30.0.1",
    apiServiceAddresses: ["10.96.0.1", ...(ipv6 ? ["fd00:10:96::1"] : [])],
    serviceCidrs: ["10.96.0.0/16", ...(ipv6 ? ["fd00:10:96::/112"] : [])],
    clusterCidrs: ["10.244.0.0/16", ...(ipv6 ? ["fd00:10:244::/48"] : [])],
    routerAddresses: ["192.168.1.1", `${LAN6}1`],
  };
}

/** Names of all namespaces of a lab; the switch holds the bridges. */
export function namespaces(plan: LabPlan): readonly string[] {
  return ["switch", ...plan.hosts.map(({ name }) => name), ...plan.nodes.map(({ name }) => name)];
}
