import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import settings from "../../package.json" with { type: "json" };
import type { Api } from "../../cluster/api.ts";
import { kinds } from "../../cluster/kinds.ts";
import { deployEarlier, earlierBerth, loadEarlier, type Earlier } from "../../hack/src/earlier.ts";
import { WEB_IMAGE } from "../../hack/src/lab/images.ts";
import { pick, pickList, pickText } from "../../hack/src/lab/json.ts";
import { deploy } from "../../hack/src/product.ts";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { onClientDuring } from "../support/client-program.ts";
import { claimsByService, lab, labApi, statusAddress } from "./lab.ts";
import { noteOtherVersion } from "./other-version.ts";
import { routesOf, traceResets, type Move } from "./upgrade/moves.ts";
import type { Findings } from "./upgrade/prober.ts";
import { recordMoves } from "./upgrade/recording.ts";
import { leaderOfTwo } from "./watchers.ts";

const cell: { api?: Api; target?: Target; earlier?: Earlier; addresses?: readonly string[] } = {};
const SERVICES = 20;
const names = Array.from({ length: SERVICES }, (_, index) => `upgraded-${String(index)}`);
const namespace = "upgrade";
/** For a deploy with all that rolls after it, and for a build of the commit before. */
const ROLL_MILLIS = 900_000;
const app = { app: "upgraded" };

const web = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace },
  spec: {
    replicas: 3,
    selector: { matchLabels: app },
    template: {
      metadata: { labels: app },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "web", image: WEB_IMAGE, readinessProbe: { httpGet: { path: "/", port: 8080 } } }],
      },
    },
  },
};
const labels = { labels: { set: "upgrade" } };
const pool = {
  apiVersion: "metallb.io/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: "upgrade", namespace: "metallb-system", ...labels },
  spec: { addresses: ["192.168.1.100-192.168.1.139"], autoAssign: false },
};
const advertisement = {
  apiVersion: "metallb.io/v1beta1",
  kind: "L2Advertisement",
  metadata: { name: "upgrade", namespace: "metallb-system" },
  spec: { ipAddressPools: ["upgrade"] },
};
const service = (name: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, annotations: { "metallb.io/address-pool": "upgrade" } },
  spec: { type: "LoadBalancer", selector: app, ports: [{ port: 80, targetPort: 8080 }] },
});

const addressesNow = async (): Promise<readonly string[]> => {
  const claims = await claimsByService(cell.api!);
  const found = await Promise.all(names.map((name) => cell.api!.get(kinds.services, { namespace, name })));
  return found.map((one, index) => {
    const name = names[index] ?? "";
    const held = (claims.get(`${namespace}/${name}`) ?? []).map(({ metadata }) => metadata?.name ?? "").join();
    expect(held).toBe(statusAddress(one));
    return held;
  });
};

beforeAll(async () => {
  [cell.api, cell.target, cell.earlier] = [await labApi(), await lab(), await earlierBerth()];
  const { target, earlier } = cell;
  await loadEarlier(target, earlier);
  await target.kubectl(["create", "namespace", namespace]);
  for (const object of [web, pool, advertisement, ...names.map(service)]) {
    await target.kubectl(["apply", "-f", "-"], JSON.stringify(object));
  }
  await target.kubectl(["rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s"]);
  cell.addresses = await until("twenty addresses", 30_000, 500, async () => {
    const found = await addressesNow();
    return found.includes("") ? undefined : found;
  });
  for (const address of cell.addresses) {
    await until(`a page from ${address}`, 30_000, 200, async () => {
      const { code } = await target.tryExec("client", "curl", "-s", "-m", "1", `http://${address}/`);
      return code === 0 ? true : undefined;
    });
  }
}, ROLL_MILLIS);

afterAll(async () => {
  await cell.target?.kubectl(["delete", "namespace", namespace, "--wait=false"]);
});

/** Fifty probes a second, from now until `work` is done; what went wrong with them, and which addresses moved meanwhile. */
async function probed(work: () => Promise<unknown>): Promise<Findings & { readonly moves: readonly Move[] }> {
  const [target, addresses] = [cell.target!, cell.addresses!];
  const recording = await recordMoves(target, addresses);
  try {
    const prober = join(import.meta.dirname, "upgrade/prober.ts");
    const findings = await onClientDuring<Findings>(target, [prober, ...addresses], work);
    return { ...findings, moves: recording.moves() };
  } finally {
    recording.stop();
  }
}

/** Waits until every pod of Berth's is of that version and ready, and a watcher leads. */
async function allOf(version: string): Promise<void> {
  const { json } = cell.target!;
  await until(`all pods to be of ${version}`, 400_000, 1_000, async () => {
    const pods = (
      await Promise.all(["pepr-system", "metallb-system"].map((one) => json(["get", "pods", "-n", one])))
    ).flatMap((list) => pickList(list, "items"));
    const isDone = pods.every((pod) => {
      const isNew = pickText(pod, "spec", "containers", 0, "image").endsWith(`:${version}`);
      return isNew && pick(pod, "status", "containerStatuses", 0, "ready") === true;
    });
    return isDone && pods.length === 7 ? true : undefined;
  });
  await leaderOfTwo(cell.target!);
}

/** Which pods run, so that a roll that did not happen is noticed. */
const podNames = async (): Promise<readonly string[]> =>
  (
    await Promise.all(["pepr-system", "metallb-system"].map((one) => cell.target!.json(["get", "pods", "-n", one])))
  ).flatMap((list) => pickList(list, "items").map((pod) => pickText(pod, "metadata", "name")));

test.each([
  {
    what: "rolled back to the commit before",
    to: () => cell.earlier!.version,
    by: () => deployEarlier(cell.target!, cell.earlier!),
  },
  { what: "upgraded to this one", to: () => settings.version, by: () => deploy(cell.target!) },
])(
  "$what under 50 probes a second, no probe of 20 Services fails and no address changes",
  { timeout: ROLL_MILLIS },
  async ({ to, by }) => {
    const [before, beganAt] = [await podNames(), new Date()];
    const { asked, resets, failures, slowestMillis, moves } = await probed(async () => {
      try {
        await by();
        await allOf(to());
      } finally {
        await noteOtherVersion(cell.target!, beganAt);
      }
    });
    const { commit, isBefore } = cell.earlier!;
    const { traced, faults } = traceResets(resets, moves);
    const counts = { asked, failed: failures.length, slowestMillis, moves: moves.length };
    const routes = routesOf(cell.addresses!, moves);
    console.log(JSON.stringify({ to: to(), commit, isBefore, ...counts, routes, resets: traced }, undefined, 1));
    expect(failures).toEqual([]);
    expect(faults).toEqual([]);
    expect(asked).toBeGreaterThan(500);
    // Every announcer is replaced; else the recording was blind, and no reset could be put down to anything.
    expect(new Set(moves.map(({ address }) => address))).toEqual(new Set(cell.addresses));
    expect(await addressesNow()).toEqual(cell.addresses);
    expect((await podNames()).filter((name) => before.includes(name))).toEqual([]);
  },
);
