import { expect, test } from "vitest";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Target } from "../../hack/src/target.ts";
import { lab } from "./lab.ts";

const VIP = "192.168.1.200";

/** The node that says in its Lease that it answers, of those that still renew it. */
async function answering({ json }: Target, except: string): Promise<string | undefined> {
  const leases = pickList(await json(["get", "leases", "-n", "metallb-system"]), "items");
  const names = leases
    .filter((lease) =>
      pickText(lease, "metadata", "annotations", "berth.dev/status").split('"silent"')[0]!.includes(VIP),
    )
    .map((lease) => pickText(lease, "metadata", "labels", "berth.dev/node"));
  return names.find((name) => name !== except);
}

/** Has the watcher run on another node: there is one, and Kubernetes takes minutes to start it anew when its node dies. */
async function moveWatcherOff({ kubectl }: Target, node: string): Promise<void> {
  await kubectl(["cordon", node]);
  const watcher = [
    "pods",
    "-n",
    "pepr-system",
    "-l",
    "pepr.dev/controller=watcher",
    `--field-selector=spec.nodeName=${node}`,
  ];
  await kubectl(["delete", ...watcher]);
  await kubectl(["rollout", "status", "deployment/pepr-berth-watcher", "-n", "pepr-system", "--timeout=120s"]);
}

const fetches = async ({ tryExec }: Target): Promise<boolean> =>
  (await tryExec("client", "curl", "-s", "-m", "1", `http://${VIP}/`)).code === 0;

test("a node that drops off the network loses its address to another, and does not take it back", async () => {
  const target = await lab();
  const dead = (await answering(target, ""))!;
  await moveWatcherOff(target, dead);
  await target.lab("cut", dead, "lan");
  await target.lab("cut", dead, "mgmt");
  try {
    await expect.poll(() => fetches(target), { timeout: 120_000, interval: 500 }).toBe(true);
    await expect.poll(() => answering(target, dead), { timeout: 10_000 }).toBeDefined();
  } finally {
    await target.lab("heal", dead);
    await target.kubectl(["uncordon", dead]);
  }
  const heir = await answering(target, dead);
  await target.kubectl(["wait", "node", dead, "--for=condition=Ready", "--timeout=120s"]);
  await expect.poll(() => answering(target, heir ?? ""), { timeout: 30_000 }).toBeUndefined();
  expect(await fetches(target)).toBe(true);
});
