/** Traefik itself behind its Service: what a homelab does with its first address. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import { neighbourImages, TRAEFIK } from "../../hack/src/neighbours.ts";
import { until } from "../../hack/src/shell.ts";
import { root, type Target } from "../../hack/src/target.ts";
import { givenAddress, lab, labApi, statusAddress } from "./lab.ts";
import { hostOf, K3S, k3sTraefik, SEED, seedTraefik, SITES, sites, type Shape } from "./traefik.ts";

const VIP = "192.168.1.200";
const CLIENT = "192.168.1.50";
const SAMPLES = ["homelab-pool", "homelab-l2"].map((name) => join(root, "manifests/samples", `${name}.yaml`));

const cell: { target?: Target; image?: string; undo: (() => Promise<unknown>)[] } = { undo: [] };
const target = (): Target => cell.target!;
const list = (items: readonly object[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

/** Applies objects, and deletes those at the end that were not there before. */
async function bring(items: readonly object[]): Promise<void> {
  const before = await target().tryKubectl(["get", "--ignore-not-found", "-o", "name", "-f", "-"], list(items));
  const isNew = (item: object): boolean =>
    !before.stdout.split("\n").some((line) => {
      const kind = pickText(item, "kind").toLowerCase();
      return line.startsWith(kind) && line.endsWith(`/${pickText(item, "metadata", "name")}`);
    });
  const added = items.filter(isNew);
  await target().kubectl(["apply", "-f", "-"], list(items));
  cell.undo.push(() => target().kubectl(["delete", "--wait", "--ignore-not-found", "-f", "-"], list(added)));
}

/** The demo's web server, which answers at the seed's address in Traefik's stead, makes room for it. */
async function makeRoom(): Promise<void> {
  const { kubectl, tryKubectl } = target();
  const there = await tryKubectl(["get", "deployment", "traefik", "-n", "network", "-o", "jsonpath={.spec.replicas}"]);
  if (there.code !== 0) return;
  const scale = (replicas: string) =>
    kubectl(["scale", "deployment/traefik", "-n", "network", `--replicas=${replicas}`]);
  await scale("0");
  cell.undo.push(async () => {
    await scale(there.stdout);
    await kubectl(["rollout", "status", "deployment/traefik", "-n", "network", "--timeout=60s"]);
  });
}

const ready = ({ namespace }: Shape) =>
  target().kubectl(["rollout", "status", "deployment/traefik-proxy", "-n", namespace, "--timeout=120s"]);

beforeAll(async () => {
  cell.target = await lab();
  const [image] = await neighbourImages(TRAEFIK);
  await target().lab("load", image!.archive);
  cell.image = image!.reference;
  const namespaces = ["network", "sites"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  for (const namespace of namespaces) await bring([namespace]);
  if ((await target().kubectl(["get", "ipaddresspool", "-n", "network", "-o", "name"])) === "") {
    await target().kubectl(["apply", ...SAMPLES.flatMap((file) => ["-f", file])]);
  }
  await makeRoom();
  await bring(sites("sites"));
  for (const site of SITES) {
    await target().kubectl(["rollout", "status", `deployment/${site}`, "-n", "sites", "--timeout=60s"]);
  }
});

afterAll(async () => {
  for (const undo of cell.undo.toReversed()) await undo();
});

type Page = { readonly code: string; readonly body: string };

/** What the lab's client gets for a site's name, which resolves to the address as nip.io would have it. */
async function fetchSite(site: string, address: string, scheme = "http", path = "/"): Promise<Page> {
  const host = hostOf(site);
  const port = scheme === "http" ? "80" : "443";
  const options = ["-s", "-k", "-m", "3", "-w", "\n%{http_code}", "--resolve", `${host}:${port}:${address}`];
  const { stdout } = await target().tryExec("client", "curl", ...options, `${scheme}://${host}${path}`);
  const lines = stdout.split("\n");
  return { code: lines.at(-1) ?? "", body: lines.slice(0, -1).join("\n") };
}

const reach = (site: string, address: string) =>
  until(`${site} at ${address}`, 30_000, 200, async () => {
    const page = await fetchSite(site, address);
    return page.code === "200" ? page : undefined;
  });

/** The client's address in Traefik's access log, of the request for this path. */
async function clientSeenOf({ namespace }: Shape, path: string): Promise<string> {
  return until(`${path} in the access log`, 10_000, 200, async () => {
    const log = await target().kubectl(["logs", "-n", namespace, "deployment/traefik-proxy", "--tail=50"]);
    const lines = log.split("\n").filter((line) => line.startsWith("{") && line.includes(`"RequestPath":"${path}"`));
    const line = lines.at(-1);
    return line === undefined ? undefined : pickText(JSON.parse(line), "ClientHost");
  });
}

const setPolicy = async ({ namespace }: Shape, policy: string): Promise<void> => {
  const spec = JSON.stringify({ spec: { externalTrafficPolicy: policy } });
  await target().kubectl(["patch", "svc", "traefik", "-n", namespace, "-p", spec]);
};

describe("Traefik behind the seed's Service", () => {
  beforeAll(async () => {
    await bring(seedTraefik(cell.image!));
    await ready(SEED);
  });

  test("has the first address of the pool", async () => {
    const service = await (await labApi()).get(kinds.services, { namespace: "network", name: "traefik" });
    expect(givenAddress(service)).toBe(VIP);
    await target().kubectl(["wait", "svc/traefik", "-n", "network", "--for=condition=berth.dev/Announced"]);
  });

  test.each(SITES)("gets requests for %s.192.168.1.200.nip.io to their own site", async (site) => {
    const { body } = await reach(site, VIP);
    expect(body).toContain(`pod: ${site}-`);
    expect(body).toContain(`host: ${hostOf(site)}`);
    expect((await fetchSite(site, VIP, "https")).body).toContain(`pod: ${site}-`);
  });

  test("answers 404 for a name that has no route", async () => {
    expect((await fetchSite("nobody", VIP)).code).toBe("404");
  });

  test("publishes the address in the status of its Ingresses", async () => {
    const addresses = async () => {
      const { items } = { items: pickList(await target().json(["get", "ingress", "-n", "sites"]), "items") };
      return items.map((item) => pickText(item, "status", "loadBalancer", "ingress", 0, "ip"));
    };
    await expect.poll(addresses, { timeout: 30_000 }).toEqual([VIP, VIP]);
  });

  test("sees the client's own address with externalTrafficPolicy: Local, and not with Cluster", async () => {
    await fetchSite("jellyfin", VIP, "http", "/by-cluster");
    expect(await clientSeenOf(SEED, "/by-cluster")).not.toBe(CLIENT);
    await setPolicy(SEED, "Local");
    try {
      const seen = await until("a request by the new rules", 30_000, 500, async () => {
        const path = `/by-local-${String(Math.round(performance.now()))}`;
        const { code } = await fetchSite("jellyfin", VIP, "http", path);
        return code === "200" && (await clientSeenOf(SEED, path)) === CLIENT ? CLIENT : undefined;
      });
      expect(seen).toBe(CLIENT);
    } finally {
      await setPolicy(SEED, "Cluster");
    }
  });
});

test("Traefik in kube-system, as k3s brings it, gets an address of its own and serves the same sites", async () => {
  await bring(k3sTraefik(cell.image!));
  await ready(K3S);
  const api = await labApi();
  const read = () => api.get(kinds.services, { namespace: K3S.namespace, name: "traefik" });
  await expect.poll(async () => statusAddress(await read()), { timeout: 15_000 }).toMatch(/^192\.168\.1\.2\d\d$/);
  const address = statusAddress(await read());
  expect(address).not.toBe(VIP);
  expect(givenAddress(await read())).toBe(address);
  for (const site of SITES) expect((await reach(site, address)).body).toContain(`pod: ${site}-`);
  await setPolicy(K3S, "Local");
  await until("the client's address in the access log", 30_000, 500, async () => {
    const path = `/k3s-${String(Math.round(performance.now()))}`;
    const { code } = await fetchSite("grafana", address, "http", path);
    return code === "200" && (await clientSeenOf(K3S, path)) === CLIENT ? true : undefined;
  });
});
