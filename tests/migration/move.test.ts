/** docs/migrate-from-metallb.md, followed to its end and back, with clients that ask for the addresses all the time. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheFolder } from "../../hack/src/cache.ts";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { pickText } from "../../hack/src/lab/json.ts";
import { awaitCalm } from "../../hack/src/product.ts";
import { attempt, until } from "../../hack/src/shell.ts";
import { root, type Target } from "../../hack/src/target.ts";
import { lab } from "../e2e/lab.ts";
import { seenDuring } from "./client.ts";
import { announcedOf, conditionsOf, expectShort } from "./looks.ts";
import { addressesOf, announcingNodes, bringMetallb, files, writtenSpecs } from "./metallb.ts";
import { tryOut, upstreamSamples } from "./samples.ts";
import { pages, Reader } from "./page.ts";

/** `pepr deploy` checks the whole checkout before it does anything. */
const PATIENCE_MILLIS = 1_200_000;

/** What the Services have by MetalLB's rules, where those leave no choice; the others have what is left. */
const GIVEN = {
  "apps/old-pin": "192.168.1.205",
  "apps/pin": "192.168.1.206",
  "apps/pin-in-spec": "192.168.1.207",
  "apps/old-pool": "192.168.1.230",
  "apps/shared": "192.168.1.210",
  "apps/shared-old": "192.168.1.210",
  "others/shared-away": "192.168.1.210",
  "apps/routed": "10.66.0.0",
};

/** Services that a client can reach, with their port. */
const REACHED = ["plain:80", "local:80", "old-pin:80", "pin:80", "pin-in-spec:80", "old-pool:80", "shared:8080"].map(
  (text) => text.split(":") as [string, string],
);

const samples = await upstreamSamples();

type Before = {
  readonly target: Target;
  readonly home: string;
  readonly reader: Reader;
  readonly addresses: Record<string, string>;
  readonly specs: Record<string, unknown>;
  readonly nodes: Record<string, readonly string[]>;
};
const cell: { before?: Before } = {};
const before = (): Before => cell.before!;

const probed = (): readonly string[] =>
  REACHED.map(([name, port]) => `${before().addresses[`apps/${name}`] ?? ""}:${port}`);

beforeAll(async () => {
  const target = await lab();
  const home = mkdtempSync(join(tmpdir(), "berth-migration-"));
  mkdirSync(join(home, "metallb"));
  await bringMetallb(target, join(home, "metallb"));
  await target.kubectl(["apply", "-f", files.objects]);
  await target.kubectl(["apply", "-f", files.services]);
  await target.kubectl(["rollout", "status", "deployment/web", "-n", "apps", "--timeout=60s"]);
  const addresses = await until("an address for every Service", 60_000, 500, async () => {
    const found = await addressesOf(target);
    return Object.values(found).includes("") ? undefined : found;
  });
  const nodes = await until("MetalLB to announce them", 60_000, 500, async () => {
    const found = await announcingNodes(target);
    return REACHED.every(([name]) => found[`apps/${name}`]?.length === 1) ? found : undefined;
  });
  const specs = await writtenSpecs(target);
  // What the API server adds when it writes an object in the newer version.
  Object.assign(specs["BGPPeer old"] as object, { disableMP: false, dualStackAddressFamily: false });
  const reader = await Reader.of(pages.fromManifests, target, home);
  cell.before = { target, home, reader, addresses, specs, nodes };
});

afterAll(() => {
  if (cell.before !== undefined) rmSync(cell.before.home, { recursive: true, force: true });
});

/** The Services that another node announces than before. */
const movedNodes = (nodes: Record<string, readonly string[]>): readonly string[] =>
  REACHED.map(([name]) => `apps/${name}`).filter((key) => nodes[key]?.join() !== before().nodes[key]?.join());

const announced = (): Promise<readonly string[]> =>
  announcedOf(
    before().target,
    REACHED.map(([name]) => `apps/${name}`),
  );

test("hack/bootstrap names MetalLB and what it holds, and changes nothing", async () => {
  const { target } = before();
  const { kubectl } = await kubernetesBinaries(cacheFolder());
  const env = { KUBECTL: kubectl, KUBECONFIG: target.kubeconfig };
  const { code, stdout, stderr } = await attempt(join(root, "hack/bootstrap"), [], { env });
  expect([code, stderr]).toEqual([1, expect.stringContaining("in the way, and nothing was changed")]);
  expect(stdout + stderr).toMatch(/MetalLB is at work \(Deployment metallb-system\/controller\) and holds \d+\.\d+/);
  expect(stdout + stderr).toContain("docs/migrate-from-metallb.md");
  expect((await target.tryKubectl(["get", "namespace", "pepr-system"])).code).not.toBe(0);
});

test("the cluster is one of MetalLB's", () => {
  expect(before().addresses).toMatchObject(GIVEN);
  expect(Object.keys(before().specs)).toHaveLength(12);
});

describe("over to Berth", () => {
  test("clients are never without an address for two seconds", { timeout: PATIENCE_MILLIS }, async () => {
    const { target, reader } = before();
    const seen = await seenDuring(target, probed(), async () => {
      await reader.follow("Keep what there is");
      await reader.follow("Stop MetalLB's controller");
      await reader.follow("Bring Berth");
      await expect.poll(announced, { timeout: 60_000 }).toHaveLength(REACHED.length);
      expect(await reader.follow("Look before you go on")).toContain("every Service has the address it had");
      await reader.follow("Stop the speakers");
      await target.kubectl(["wait", "pod", "-n", "metallb-system", "-l", "component=speaker", "--for=delete"]);
      await reader.follow("Clear up");
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    });
    expectShort(seen, REACHED.length);
    // Pepr's first pods go without handing over: a webhook that reaches one in that moment fails.
    await awaitCalm(target);
  });

  test("every Service has the address that it had", async () => {
    expect(await addressesOf(before().target)).toEqual(before().addresses);
  });

  test("every address is claimed for its Service", async () => {
    const claims = (await before().target.kubectl(["get", "ip", "-o", "name"])).split("\n");
    for (const address of Object.values(before().addresses)) {
      expect(claims).toContain(`ipaddress.networking.k8s.io/${address}`);
    }
  });

  test("every address is announced from one node, with all announcers in time from the one that MetalLB chose", async () => {
    const nodes = await announcingNodes(before().target);
    for (const [name] of REACHED) expect(nodes[`apps/${name}`]).toHaveLength(1);
    console.log(`moved to another node: ${movedNodes(nodes).join(", ") || "none"}`);
    expect(movedNodes(nodes).length).toBeLessThan(REACHED.length);
  });

  test("every object that people wrote is as it was, BGP's included", async () => {
    expect(await writtenSpecs(before().target)).toEqual(before().specs);
  });

  test("every pool and advertisement is in force, or says why not", async () => {
    const at = (name: string) => `metallb-system/${name}`;
    expect(await conditionsOf(before().target, "ipaddresspools", "berth.dev/Ready")).toEqual({
      [at("homelab")]: "True Usable",
      [at("reserved")]: "True Usable",
      [at("on-nodes")]: "True ContainsNodeAddresses",
      [at("routed")]: "True Usable",
    });
    expect(await conditionsOf(before().target, "l2advertisements", "berth.dev/Ready")).toEqual({
      [at("home")]: "True Usable",
      [at("stale")]: "False MissingPools",
    });
  });

  test("a Service that only BGP announced says that nobody does", async () => {
    const { "apps/routed": said } = await conditionsOf(before().target, "svc", "berth.dev/Announced");
    expect(said).toMatch(/^False /);
  });

  test("nothing of MetalLB's refuses changes, and its objects can still be written in every version", async () => {
    const { kubectl } = before().target;
    await kubectl([
      "label",
      "bgppeers,bfdprofiles,communities,ipaddresspools,l2advertisements",
      "--all",
      "-A",
      "seen=1",
    ]);
    await kubectl(["apply", "-f", files.oldPeer]);
    expect(await writtenSpecs(before().target)).toEqual(before().specs);
    expect(await kubectl(["get", "validatingwebhookconfigurations", "-o", "name"])).not.toContain("metallb");
  });

  test.each(samples)("upstream's sample $name applies unchanged", async (sample) => {
    expect((await tryOut(before().target, sample)).applied).toEqual(sample.unspoken);
  });

  test("nothing of MetalLB's workloads is left", async () => {
    const kinds = "deployments,daemonsets,pods,services,secrets,configmaps,serviceaccounts,servicebgpstatuses";
    const left = async () => {
      const names = await before().target.kubectl(["get", kinds, "-n", "metallb-system", "-o", "name"]);
      return names.split("\n").filter((line) => /controller|speaker|memberlist|metallb|bgpstatus/.test(line));
    };
    await expect.poll(left, { timeout: 60_000, interval: 1_000 }).toEqual([]);
  });

  test("new Services are given what is free", async () => {
    const { target } = before();
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: "apps", name: "new" },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: "web" } },
    };
    const answer = await target.json(["create", "-f", "-"], JSON.stringify(service));
    const address = pickText(answer, "metadata", "annotations", "berth.dev/addresses");
    expect(address).toMatch(/^192\.168\.1\.2/);
    expect(Object.values(before().addresses)).not.toContain(address);
    await target.kubectl(["delete", "svc", "new", "-n", "apps"]);
  });
});

describe("back to MetalLB", () => {
  test("clients are never without an address for two seconds", { timeout: PATIENCE_MILLIS }, async () => {
    const { target, reader } = before();
    expectShort(
      await seenDuring(target, probed(), async () => {
        await reader.follow("The way back");
        await new Promise((resolve) => setTimeout(resolve, 5_000));
      }),
      REACHED.length,
    );
  });

  test("every Service has the address that it had, from the node that had it", async () => {
    const { target, addresses, nodes } = before();
    expect(await addressesOf(target)).toEqual(addresses);
    await expect.poll(() => announcingNodes(target), { timeout: 20_000 }).toEqual(nodes);
  });

  test("nothing of Berth's is left in the cluster, and MetalLB's own is", async () => {
    const { kubectl } = before().target;
    const kinds = ["services,ipaddresspools,l2advertisements", "leases,secrets,servicel2statuses,ipaddresses"];
    const objects = await Promise.all(kinds.map((list) => kubectl(["get", list, "-A", "-o", "json"])));
    expect(objects.join("").match(/[^"]*\b(berth|announcer)\b[^"]*/g) ?? []).toEqual([]);
    const whole = [
      "clusterroles",
      "validatingadmissionpolicies",
      "validatingwebhookconfigurations",
      "namespaces",
      "crds",
    ];
    expect(await kubectl(["get", whole.join(","), "-o", "name"])).not.toMatch(/berth|pepr/);
    const fromPool = "{.metadata.annotations.metallb\\.io/ip-allocated-from-pool}";
    expect(await kubectl(["get", "svc", "plain", "-n", "apps", "-o", `jsonpath=${fromPool}`])).toBe("homelab");
  });

  test("every object is as it was, and MetalLB checks changes again", async () => {
    const { target, specs } = before();
    expect(await writtenSpecs(target)).toEqual(specs);
    const wrong = JSON.stringify({
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "wrong", namespace: "metallb-system" },
      spec: { addresses: ["nonsense"] },
    });
    const { stderr } = await target.tryKubectl(["create", "-f", "-"], wrong);
    expect(stderr).toContain("ipaddresspoolvalidationwebhook.metallb.io");
  });

  test("every command of the page was typed", () => {
    expect(pages.fromManifests.untried()).toEqual([]);
  });
});
