/** The demo's steps, in order; each shows one promise of the README on the lab, and fails unless it saw it kept. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { WEB_IMAGE } from "../lab/images.ts";
import { pick, pickList, pickText } from "../lab/json.ts";
import { until } from "../shell.ts";
import { root, type Target } from "../target.ts";
import { expect, expectPart } from "./expect.ts";

/** One step: what it shows, and the lines that prove it. */
export type Step = { readonly title: string; readonly run: (target: Target) => Promise<readonly string[]> };

const sample = (name: string): string => join(root, "manifests/samples", `${name}.yaml`);
const VIP = "192.168.1.200";
const PINNED = "192.168.1.205";

const lines = (text: string): readonly string[] => text.trimEnd().split("\n");

/** The web server that stands in for Traefik, with the label that the sample Service selects. */
const WEB = JSON.stringify({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "traefik", namespace: "network" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "traefik" } },
    template: {
      metadata: { labels: { app: "traefik" } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "web", image: WEB_IMAGE, ports: [{ containerPort: 8080 }, { containerPort: 8443 }] }],
      },
    },
  },
});

/** The seed's pinned Service under another name, asking for another address. */
const pinned = (name: string, address: string): string =>
  readFileSync(sample("my-service"), "utf8").replace("my-service", name).replace(PINNED, address);

async function showInstalled({ kubectl, json }: Target): Promise<readonly string[]> {
  const daemonSet = await json(["get", "daemonset", "announcer", "-n", "metallb-system"]);
  const [ready, nodes] = ["numberReady", "desiredNumberScheduled"].map((field) => pick(daemonSet, "status", field));
  expect(ready === nodes && Number(ready) > 0, `announcers: ${String(ready)} of ${String(nodes)} ready`);
  await kubectl(["get", "crd", "ipaddresspools.metallb.io", "l2advertisements.metallb.io"]);
  const webhooks = await json(["get", "validatingwebhookconfiguration", "pepr-berth"]);
  const policies = pickList(webhooks, "webhooks")
    .map((one) => `${pickText(one, "name")} ${pickText(one, "failurePolicy")}`)
    .filter((policy) => policy.includes(".berth.dev"));
  const wanted = ["services.berth.dev Ignore", "configuration.berth.dev Fail", "bgp.berth.dev Ignore"];
  expect(policies.join() === wanted.join(), `webhook failure policies: ${policies.join()}`);
  return lines(await kubectl(["get", "pods", "-A", "-o", "wide"]));
}

async function applySeed({ kubectl }: Target): Promise<readonly string[]> {
  await kubectl(["create", "namespace", "network"]);
  await kubectl(["apply", "-f", "-"], WEB);
  const said = await kubectl(["apply", "-f", sample("homelab-pool"), "-f", sample("homelab-l2")]);
  await kubectl(["rollout", "status", "deployment/traefik", "-n", "network", "--timeout=60s"]);
  return lines(said);
}

async function createTraefik({ json }: Target): Promise<readonly string[]> {
  const answer = await json(["create", "-n", "network", "-f", sample("traefik")]);
  const address = pickText(answer, "metadata", "annotations", "berth.dev/addresses");
  expect(address === VIP, `the answer to the create carries "${address}", not ${VIP}`);
  return [`the API server's answer to the create: berth.dev/addresses: ${address}`];
}

async function showService({ kubectl }: Target): Promise<readonly string[]> {
  const table = await until("an EXTERNAL-IP", 5_000, 20, async () => {
    const text = await kubectl(["get", "svc", "traefik", "-n", "network"]);
    return text.includes(VIP) ? text : undefined;
  });
  return lines(table);
}

async function showClaim({ kubectl }: Target): Promise<readonly string[]> {
  const table = await kubectl(["get", "ip", VIP]);
  expectPart(table, "services/network/traefik");
  return lines(table);
}

async function fetchPage({ tryExec }: Target): Promise<readonly string[]> {
  const page = await until(`HTTP 200 from ${VIP}`, 10_000, 100, async () => {
    const got = await tryExec("client", "curl", "-s", "-m", "2", "-w", "\nHTTP %{http_code}", `http://${VIP}/`);
    return got.stdout.includes("HTTP 200") ? got.stdout : undefined;
  });
  return lines(page);
}

async function showAnswering({ exec, json }: Target): Promise<readonly string[]> {
  const neighbour = await exec("client", "ip", "neigh", "show", VIP);
  const mac = /lladdr (\S+)/.exec(neighbour)?.[1] ?? "";
  const leases = pickList(await json(["get", "leases", "-n", "metallb-system"]), "items");
  const answering = leases.filter((lease) => {
    const status = pickText(lease, "metadata", "annotations", "berth.dev/status");
    return status.split('"silent"')[0]?.includes(VIP) ?? false;
  });
  expect(answering.length === 1, `${String(answering.length)} nodes say that they answer for ${VIP}`);
  const node = pickText(answering[0], "metadata", "labels", "berth.dev/node");
  const said = pickText(answering[0], "metadata", "annotations", "berth.dev/status");
  expect(mac !== "" && said.includes(mac), `the client sees ${mac} for ${VIP}, which ${node} does not report: ${said}`);
  return [`${node} answers for ${VIP} with ${mac}, by its Lease and by the client's ARP table`];
}

async function pinAddress({ kubectl, json }: Target): Promise<readonly string[]> {
  const said = await kubectl(["apply", "-f", sample("my-service")]);
  const service = await json(["get", "svc", "my-service"]);
  const address = pickText(service, "metadata", "annotations", "berth.dev/addresses");
  expect(address === PINNED, `my-service has "${address}", not ${PINNED}`);
  return [...lines(said), `my-service has ${address}`];
}

const denied =
  (name: string, address: string, parts: readonly string[]) =>
  async ({ tryKubectl }: Target): Promise<readonly string[]> => {
    const { code, stderr } = await tryKubectl(["apply", "-f", "-"], pinned(name, address));
    expect(code !== 0, `kubectl apply of ${name} with ${address} was not denied`);
    for (const part of parts) expectPart(stderr, part);
    return lines(stderr);
  };

async function freeAddress({ kubectl, tryKubectl }: Target): Promise<readonly string[]> {
  const startedMillis = performance.now();
  await kubectl(["delete", "svc", "my-service"]);
  await until(`the claim of ${PINNED} to go`, 10_000, 50, async () => {
    const { code } = await tryKubectl(["get", "ip", PINNED]);
    return code === 0 ? undefined : true;
  });
  const seconds = (performance.now() - startedMillis) / 1000;
  await kubectl(["apply", "-f", "-"], pinned("heir", PINNED));
  return [`${PINNED} was free ${seconds.toFixed(1)} s after its Service was deleted; Service "heir" has it now`];
}

async function showHabits({ kubectl }: Target): Promise<readonly string[]> {
  const pods = await kubectl(["get", "pods", "-n", "metallb-system"]);
  expectPart(pods, "announcer-");
  const logs = await kubectl(["logs", "-n", "metallb-system", "-l", "app=metallb", "--tail=1"]);
  expectPart(logs, '"message"');
  return [...lines(pods), ...lines(logs)];
}

/** The steps. */
export const steps: readonly Step[] = [
  { title: "everything is there and ready", run: showInstalled },
  { title: "the seed's pool and advertisement are applied", run: applySeed },
  { title: "the answer to the create carries the address", run: createTraefik },
  { title: "kubectl get svc shows it", run: showService },
  { title: "kubectl get ip shows its claim", run: showClaim },
  { title: "a client on the LAN gets the page", run: fetchPage },
  { title: "one node answers for the address", run: showAnswering },
  { title: "a pinned Service gets its address", run: pinAddress },
  {
    title: "a second Service that asks for it is denied",
    run: denied("second", PINNED, ['Service "default/my-service" holds', "192.168.1.201"]),
  },
  {
    title: "an address outside every pool is denied",
    run: denied("outside", "10.9.9.9", ['IPAddressPool "network/homelab-pool"', "192.168.1.201"]),
  },
  { title: "a deleted Service frees its address", run: freeAddress },
  { title: "the commands people know show the announcers", run: showHabits },
];
