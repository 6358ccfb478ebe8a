/**
 * How long Services wait for their status after the API server was killed, away for 20 s and started again: on a lab of
 * its own, or on a running one that has Berth with --borrow. Prints one JSON line a round, and a last one over all.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { apiOver, type Api } from "../../cluster/api.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { connect } from "../../cluster/transport.ts";
import { keys } from "../../core/keys.ts";
import { bringUpLab, deploy } from "./product.ts";
import { until } from "./shell.ts";
import { targetLab, type Target } from "./target.ts";

const OUTAGE_MILLIS = 20_000;
const USAGE = "usage: hack/bench outage [--rounds N] [--borrow]";
const NAMESPACE = "outage";
const POOL = JSON.stringify({
  apiVersion: "metallb.io/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: NAMESPACE, namespace: keys.namespace },
  spec: { addresses: ["10.81.0.0/24"], autoAssign: false },
});

type Round = {
  /** From the start of the API server to its answer to the create: it is up, and calls webhooks. */
  readonly createdMillis: number;
  /** Whether the answer carried the address, so that admission was there. */
  readonly isInAnswer: boolean;
  /** From the answer to the create to the status. */
  readonly statusMillis: number;
};

const service = (name: string): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: NAMESPACE, name, annotations: { [keys.poolNew]: NAMESPACE } },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: name } },
});

const hasStatus = (found: Service | undefined): boolean => (found?.status?.loadBalancer?.ingress ?? []).length > 0;

async function round(target: Target, api: Api, name: string): Promise<Round> {
  await target.lab("api", "stop");
  await sleep(OUTAGE_MILLIS);
  const startedMillis = performance.now();
  const started = target.lab("api", "start");
  const created = await until("an answer to a create", 60_000, 20, () =>
    api.create(kinds.services, service(name)).catch(() => undefined),
  );
  const answeredMillis = performance.now();
  await until("a status", 60_000, 5, async () => {
    const found = await api.get(kinds.services, { namespace: NAMESPACE, name }).catch(() => undefined);
    return hasStatus(found) ? found : undefined;
  });
  const statusMillis = Math.round(performance.now() - answeredMillis);
  await started;
  const isInAnswer = created.metadata?.annotations?.[keys.addresses] !== undefined;
  return { createdMillis: Math.round(answeredMillis - startedMillis), isInAnswer, statusMillis };
}

async function main(rounds: number, isBorrowed: boolean): Promise<void> {
  const target = await targetLab(process.env["BERTH_LAB"] ?? "bench");
  try {
    if (!isBorrowed) {
      await bringUpLab(target, ["--nodes", "3"]);
      await deploy(target);
    }
    process.env["KUBECONFIG"] = target.kubeconfig;
    const api = apiOver(await connect());
    await target.tryKubectl(["create", "namespace", NAMESPACE]);
    await target.kubectl(["apply", "-f", "-"], POOL);
    const waits: number[] = [];
    for (let index = 1; index <= rounds; index += 1) {
      const seen = await round(target, api, `web-${String(index)}`);
      console.log(JSON.stringify({ bench: "outage", round: index, ...seen }));
      waits.push(seen.statusMillis);
      await sleep(5_000);
    }
    const sorted = waits.toSorted((left, right) => left - right);
    const [medianMillis, maxMillis] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    console.log(JSON.stringify({ bench: "outage", rounds, outageMillis: OUTAGE_MILLIS, medianMillis, maxMillis }));
  } finally {
    if (isBorrowed) await target.tryKubectl(["delete", "namespace", NAMESPACE]);
    else await target.lab("down");
  }
}

const words = process.argv.slice(2);
const rounds = Number(words[words.indexOf("--rounds") + 1] ?? "5");
const isRounds = !words.includes("--rounds") || (Number.isInteger(rounds) && rounds > 0);
if (!isRounds || words.some((word) => word.startsWith("-") && word !== "--rounds" && word !== "--borrow")) {
  console.error(USAGE);
  process.exit(2);
}
await main(words.includes("--rounds") ? rounds : 5, words.includes("--borrow"));
