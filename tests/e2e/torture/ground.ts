/** Where the torture takes place: namespaces, and pools that each stand for one situation. */
import type { Target } from "../../../hack/src/target.ts";

/** In kube-system no webhook sees a Service: the watcher alone serves it. */
export const NAMESPACES = ["torture-a", "torture-b", "torture-c", "kube-system"] as const;

/** Large: serves whoever asks for no pool. Small: runs full. Shared: its addresses have many owners. Dual: both families. */
export const POOLS = ["torture-large", "torture-small", "torture-shared", "torture-dual"] as const;
export type PoolName = (typeof POOLS)[number];

/** An address of each pool that clients quarrel about when they pin. */
export const contested = (pool: PoolName, index: number): string => {
  const base = {
    "torture-large": "10.88.0",
    "torture-small": "10.89.0",
    "torture-shared": "10.90.0",
    "torture-dual": "10.94.0",
  };
  const size = { "torture-large": 64, "torture-small": 14, "torture-shared": 16, "torture-dual": 32 };
  return `${base[pool]}.${String(1 + (index % size[pool]))}`;
};

const pool = (
  name: PoolName,
  addresses: readonly string[],
  parts: { spec?: object; annotations?: object },
): object => ({
  apiVersion: "metallb.io/v1beta1",
  kind: "IPAddressPool",
  metadata: { name, namespace: "metallb-system", annotations: parts.annotations ?? {} },
  spec: { addresses, autoAssign: false, serviceAllocation: { namespaces: NAMESPACES }, ...parts.spec },
});

const consent = { "berth.dev/cross-namespace-sharing": "true" };

/** Makes namespaces and pools. */
export async function prepare({ kubectl }: Target, isDualStack: boolean): Promise<void> {
  const namespaces = NAMESPACES.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  const pools = [
    pool("torture-large", ["10.88.0.0/20"], { spec: { autoAssign: true } }),
    pool("torture-small", ["10.89.0.0/28"], { spec: { avoidBuggyIPs: true } }),
    pool("torture-shared", ["10.90.0.0/26"], { annotations: consent }),
    pool("torture-dual", ["10.94.0.0/24", ...(isDualStack ? ["fd00:94::/112"] : [])], {}),
  ];
  const list = { apiVersion: "v1", kind: "List", items: [...namespaces, ...pools] };
  await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(list));
}

/** Takes everything away again. */
export async function clearUp({ kubectl }: Target): Promise<void> {
  const own = NAMESPACES.filter((name) => name !== "kube-system");
  await kubectl(["delete", "services", "-n", "kube-system", "-l", "torture=true", "--wait=false"]);
  await kubectl(["delete", "namespace", ...own, "--ignore-not-found", "--timeout=120s"]);
  for (const name of POOLS) {
    await kubectl(["annotate", "ipaddresspool", name, "-n", "metallb-system", "berth.dev/allow-renumbering=true"]);
    await kubectl(["delete", "ipaddresspool", name, "-n", "metallb-system"]);
  }
}
