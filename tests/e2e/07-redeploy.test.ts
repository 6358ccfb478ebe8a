import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import { renewed } from "../../cluster/certificates.ts";
import { kinds } from "../../cluster/kinds.ts";
import { readServing } from "../../cluster/serving.ts";
import { keys } from "../../core/keys.ts";
import { pick, pickList, pickText } from "../../hack/src/lab/json.ts";
import { deploy } from "../../hack/src/product.ts";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { claimsByService, givenAddress, lab, labApi, loadBalancer, pool } from "./lab.ts";
import { DEPLOYMENTS, rolledOut } from "./operator.ts";

const cell: { api?: Api; target?: Target } = {};
const inPepr = ["-n", "pepr-system"];
/** A deploy builds the module, and waits for pods, which on a busy machine take their time. */
const DEPLOY_MILLIS = 900_000;
const HOST = "pepr-berth.pepr-system.svc";

beforeAll(async () => {
  [cell.api, cell.target] = [await labApi(), await lab()];
  await cell.target.kubectl(["apply", "-f", "-"], JSON.stringify(pool("again", "10.80.0.0/20")));
});

/** Asks the webhooks as long as it is not told to stop: makes a Service, changes a pool. Gives what went wrong. */
async function askWebhooks(signal: AbortSignal): Promise<{ asked: number; wrong: readonly string[] }> {
  const [api, wrong] = [cell.api!, [] as string[]];
  let asked = 0;
  for (; !signal.aborted; asked += 1) {
    const name = `again-${String(asked)}`;
    const service = await api.create(
      kinds.services,
      loadBalancer("default", name, { "metallb.io/address-pool": "again" }),
    );
    if (givenAddress(service) === "") wrong.push(`${name} was made without an address`);
    const annotations = { "example.com/asked": String(asked) };
    await api
      .merge(kinds.pools, { namespace: "metallb-system", name: "again" }, { metadata: { annotations } })
      .catch((error: unknown) => wrong.push(String(error)));
    await sleep(100);
  }
  return { asked, wrong };
}

test(
  "while Berth is deployed again every Service has its address in the answer, every pool can be changed, and none moves",
  { timeout: DEPLOY_MILLIS },
  async () => {
    const api = cell.api!;
    const addresses = async (): Promise<readonly string[]> =>
      [...(await claimsByService(api))]
        .map(([key, claims]) => `${key} ${claims.map((one) => one.metadata?.name).join()}`)
        .filter((line) => !line.startsWith("default/again-"))
        .toSorted();
    const before = await addresses();
    const end = new AbortController();
    const asking = askWebhooks(end.signal);
    try {
      // Pepr makes a new certificate and a new path with each deploy, and applies them before the pods that it means them for.
      await deploy(cell.target!);
      // It is content with the ready pods of before, so their successors are waited for here.
      await rolledOut(cell.target!, 400);
    } finally {
      end.abort();
    }
    const { asked, wrong } = await asking;
    expect(asked).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
    expect(await addresses()).toEqual(before);
  },
);

test("a deploy leaves the operator's pods as the operator wants them, and replaces them once", async () => {
  const { json } = cell.target!;
  const generations = async (): Promise<readonly unknown[]> =>
    Promise.all(
      DEPLOYMENTS.map(async (name) =>
        pick(await json(["get", "deployment", name, ...inPepr]), "metadata", "generation"),
      ),
    );
  const before = await generations();
  // The leader looks every half minute.
  await sleep(35_000);
  expect(await generations()).toEqual(before);
  const pods = pickList(await json(["get", "pods", ...inPepr, "-l", "pepr.dev/controller"]), "items");
  expect(pods).toHaveLength(4);
  for (const pod of pods) {
    expect(pick(pod, "spec")).toMatchObject({
      enableServiceLinks: false,
      securityContext: { seccompProfile: { type: "RuntimeDefault" }, runAsNonRoot: true },
      containers: [
        { startupProbe: { failureThreshold: 150 }, livenessProbe: { failureThreshold: 6, timeoutSeconds: 5 } },
      ],
    });
    expect(pickText(pod, "spec", "priorityClassName")).toMatch(/^system-(node|cluster)-critical$/);
  }
});

const admissionPods = async ({ json }: Target): Promise<readonly unknown[]> =>
  pickList(await json(["get", "pods", ...inPepr, "-l", "pepr.dev/controller=admission"]), "items");

/** The certificate that each admission pod presents, and what says whether the pod was started anew. */
async function presented(target: Target): Promise<readonly { pod: string; certificate: string }[]> {
  const pods = await admissionPods(target);
  return Promise.all(
    pods.map(async (pod) => {
      const address = `${pickText(pod, "status", "podIP")}:3000`;
      const said = await target.exec("node-1", "openssl", "s_client", "-connect", address, "-servername", HOST);
      const restarts = String(pick(pod, "status", "containerStatuses", 0, "restartCount"));
      return {
        pod: `${pickText(pod, "metadata", "name")} ${restarts}`,
        certificate: new X509Certificate(said.slice(said.indexOf("-----BEGIN"))).fingerprint256,
      };
    }),
  );
}

test("a certificate that is about to end is renewed, and served by the pods that run", async () => {
  const [api, target] = [cell.api!, cell.target!];
  const key = { namespace: keys.operatorNamespace, name: keys.servingSecret };
  const data = Object.fromEntries(
    Object.entries((await api.get(kinds.secrets, key))?.data ?? {}).map(([name, text]) => [
      name,
      Buffer.from(text, "base64").toString(),
    ]),
  );
  const before = await presented(target);
  // Made 89 days and 23 hours ago, so that it ends in an hour.
  const ending = renewed(data, "server", HOST, Date.now() - (90 * 24 - 1) * 3_600_000);
  const changed = ["tls.crt", "tls.key"].map((name) => [name, Buffer.from(ending[name] ?? "").toString("base64")]);
  await api.merge(kinds.secrets, key, { data: Object.fromEntries(changed) as object });
  const fingerprint = await until("a renewed certificate", 90_000, 500, async () => {
    const { certificate = "" } = (await readServing(api)) ?? {};
    return certificate === ending["tls.crt"] ? undefined : new X509Certificate(certificate).fingerprint256;
  });
  const expected = before.map(({ pod }) => ({ pod, certificate: fingerprint }));
  await expect.poll(() => presented(target), { timeout: 40_000, interval: 1_000 }).toEqual(expected);
  const made = await api.create(
    kinds.services,
    loadBalancer("default", "renewed", { "metallb.io/address-pool": "again" }),
  );
  expect(givenAddress(made)).toMatch(/^10\.80\./);
});

test("who does not know Berth's path is told nothing by the webhooks, from wherever they are reached", async () => {
  const target = cell.target!;
  const pods = await admissionPods(target);
  const path = (await readServing(cell.api!))?.path ?? "";
  const answerTo = async (pod: unknown, guess: string): Promise<string> => {
    const url = `https://${pickText(pod, "status", "podIP")}:3000/validate/${guess}`;
    const options = "-sk -m 5 -o /dev/null -w %{http_code} -X POST -d {}".split(" ");
    return target.exec("node-1", "curl", ...options, "-H", "Content-Type: application/json", url);
  };
  expect(pods).toHaveLength(2);
  for (const pod of pods) {
    for (const guess of ["", "0".repeat(path.length), path.slice(0, -1)]) {
      expect(await answerTo(pod, guess)).toMatch(/^40[14]$/);
    }
    expect(await answerTo(pod, path)).not.toMatch(/^40[14]$/);
  }
});
