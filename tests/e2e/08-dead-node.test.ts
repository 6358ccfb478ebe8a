import { expect, test } from "vitest";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Target } from "../../hack/src/target.ts";
import { lab } from "./lab.ts";
import { awaitSuccessor, haveLeaderOn, leaderName, leaderOfTwo } from "./watchers.ts";

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

const fetches = async ({ tryExec }: Target): Promise<boolean> =>
  (await tryExec("client", "curl", "-s", "-m", "1", `http://${VIP}/`)).code === 0;

test("a node that drops off the network, the leading watcher on it, loses its address to another and does not take it back", async () => {
  const target = await lab();
  const dead = (await answering(target, ""))!;
  await haveLeaderOn(target, dead);
  const leader = await leaderName(target);
  await target.lab("cut", dead, "lan");
  await target.lab("cut", dead, "mgmt");
  try {
    await awaitSuccessor(target, leader, 15_000);
    await expect.poll(() => fetches(target), { timeout: 120_000, interval: 500 }).toBe(true);
    await expect.poll(() => answering(target, dead), { timeout: 10_000 }).toBeDefined();
  } finally {
    await target.lab("heal", dead);
  }
  const heir = await answering(target, dead);
  await target.kubectl(["wait", "node", dead, "--for=condition=Ready", "--timeout=120s"]);
  await expect.poll(() => answering(target, heir ?? ""), { timeout: 30_000 }).toBeUndefined();
  expect(await fetches(target)).toBe(true);
  await leaderOfTwo(target);
});
