/**
 * The ways in and out, on real nodes: pepr deploy (which the set-up has done), kubectl apply -k, Helm, hack/bootstrap, with
 * hack/remove in between. On a lab of its own, since it takes Berth away.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILT, buildInstallation } from "../../hack/src/build.ts";
import { cacheFolder } from "../../hack/src/cache.ts";
import { helmBinary } from "../../hack/src/helm.ts";
import { nameOf, parseObjects, type JsonObject } from "../../hack/src/install/object.ts";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { WEB_IMAGE } from "../../hack/src/lab/images.ts";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import { attempt, run, until, type Finished } from "../../hack/src/shell.ts";
import { root, type Target } from "../../hack/src/target.ts";
import { differences } from "../hack/install/differences.ts";
import { lab } from "../e2e/lab.ts";
import { liveObjects } from "./live-objects.ts";

const VIP = "192.168.1.230";
const READY_MILLIS = 180_000;
const folder = mkdtempSync(join(tmpdir(), "berth-ways-"));
const pools = join(folder, "pools.yaml");

const POOLS = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: ways, namespace: ways}
spec: {addresses: [${VIP}/32], autoAssign: false}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: ways, namespace: ways}
spec: {ipAddressPools: [ways]}
`;

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ways}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "${WEB_IMAGE}", ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ways, annotations: {metallb.io/loadBalancerIPs: ${VIP}}}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

const cell: { target?: Target; kubectl?: string; byPepr?: Live; byKubectl?: Live } = {};
type Live = ReadonlyMap<string, JsonObject>;
const target = (): Target => cell.target ?? expect.fail();

beforeAll(async () => {
  writeFileSync(pools, POOLS);
  cell.target = await lab();
  cell.kubectl = (await kubernetesBinaries(cacheFolder())).kubectl;
  await buildInstallation();
  await target().kubectl(["create", "namespace", "ways"]);
  await target().kubectl(["apply", "-f", "-"], POOLS);
  await target().kubectl(["apply", "-f", "-"], WEB);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const environment = (): Record<string, string> => ({
  KUBECONFIG: target().kubeconfig,
  KUBECTL: cell.kubectl ?? expect.fail(),
});
const hack = (command: string, ...args: readonly string[]): Promise<Finished> =>
  attempt(join(root, "hack", command), args, { env: environment() });

/** What all installed objects are in the cluster. */
const live = (): Promise<Live> => liveObjects(target());

async function awaitReady(): Promise<void> {
  const within = `--timeout=${String(READY_MILLIS / 1_000)}s`;
  for (const [namespace, name] of [
    ["pepr-system", "deployment/pepr-berth"],
    ["pepr-system", "deployment/pepr-berth-watcher"],
    ["metallb-system", "daemonset/announcer"],
  ] as const) {
    await target().kubectl(["rollout", "status", "-n", namespace, name, within]);
  }
}

const inStatus = async (): Promise<string> =>
  pickList(await target().json(["get", "service", "web", "-n", "ways"]), "status", "loadBalancer", "ingress")
    .map((entry) => pickText(entry, "ip"))
    .join();

/** From outside, the page at the address. */
const reach = (): Promise<true> =>
  until(`HTTP 200 from ${VIP}`, 30_000, 200, async () => {
    const got = await target().tryExec("client", "curl", "-s", "-m", "2", "-w", "HTTP %{http_code}", `http://${VIP}/`);
    return got.stdout.includes("HTTP 200") ? true : undefined;
  });

/** Whatever of Berth is in the cluster. */
async function leftovers(): Promise<readonly string[]> {
  const kinds = [
    "deployments,daemonsets,serviceaccounts,secrets,leases,roles,rolebindings,networkpolicies,poddisruptionbudgets,pods",
    "clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations",
    "validatingadmissionpolicies,validatingadmissionpolicybindings,ipaddresses",
  ];
  const found: string[] = [];
  for (const list of kinds) {
    const names = await target().kubectl(["get", list, "-A", "-o", "name", "--ignore-not-found"]);
    found.push(...names.split("\n").filter((name) => /berth|announcer/.test(name)));
  }
  const claims = await target().kubectl([
    "get",
    "ip",
    "-l",
    "ipaddress.kubernetes.io/managed-by=berth.dev",
    "-o",
    "name",
  ]);
  return [...found, ...claims.split("\n")].filter((name) => name !== "");
}

/** A write of a Service is not held up by anybody. */
async function writeService(): Promise<void> {
  const label = ["label", "service", "web", "-n", "ways", "--overwrite", `seen=${String(Date.now())}`];
  await target().kubectl(label);
  await target().kubectl(["create", "service", "loadbalancer", "brief", "--tcp=80", "-n", "ways"]);
  await target().kubectl(["delete", "service", "brief", "-n", "ways"]);
}

describe("by pepr deploy", () => {
  it("an address is reached, and what runs is noted", async () => {
    await awaitReady();
    await reach();
    cell.byPepr = await live();
  });

  it("hack/remove explains and changes nothing without an answer", async () => {
    const { code, stdout, stderr } = await hack("remove");
    expect([code, stderr]).toEqual([2, "remove: nothing was changed; say --keep-addresses or --drop-addresses\n"]);
    expect(stdout).toMatch(/answering from outside: .*192\.168\.1\.230 of ways\/web/);
    await reach();
  });

  it("hack/remove --keep-addresses leaves the addresses and nothing else, and holds up no Service", async () => {
    const { code, stdout, stderr } = await hack("remove", "--keep-addresses");
    expect([code, stderr], stdout).toEqual([0, ""]);
    await writeService();
    expect(await leftovers()).toEqual([]);
    expect(await inStatus()).toBe(VIP);
    expect(JSON.stringify(await target().json(["get", "service", "web", "-n", "ways"]))).not.toContain("berth.dev");
    await target().kubectl(["get", "ipaddresspool", "ways", "-n", "ways"]);
  });

  it("hack/remove finds nothing to do when all is gone", async () => {
    const { code, stdout } = await hack("remove", "--keep-addresses");
    expect([code, stdout]).toEqual([0, expect.stringContaining("no Service has an address of Berth's")]);
  });
});

describe("by kubectl apply -k", () => {
  it("the Service has its address still, and it is reached", async () => {
    await target().kubectl(["apply", "-k", join(root, "manifests")]);
    await awaitReady();
    await reach();
    expect(await inStatus()).toBe(VIP);
  });

  it("there is what pepr deploy leaves, but for Pepr's own Secrets and its stamp", async () => {
    cell.byKubectl = await live();
    const differ = differences(cell.byPepr ?? expect.fail(), cell.byKubectl);
    const own = [
      "pepr-berth spec.template.spec.volumes.api-path",
      "pepr-berth spec.template.spec.containers.server.volumeMounts.api-path",
    ];
    const both = [
      ["pepr-berth", "server"],
      ["pepr-berth-watcher", "watcher"],
    ] as const;
    const each = both.flatMap(([name, container]) => [
      `${name} spec.template.metadata.annotations`,
      `${name} spec.template.spec.volumes.tls-certs`,
      `${name} spec.template.spec.containers.${container}.volumeMounts.tls-certs`,
      `${name} spec.template.spec.containers.${container}.env.BERTH_INSTALLED_BY`,
    ]);
    // Pepr's own entry, which asks nobody, has what Pepr makes with each deploy.
    const entry = "webhooks.pepr-berth.pepr.dev.clientConfig";
    const asked = ["Mutating", "Validating"].flatMap((kind) =>
      ["caBundle", "service.path"].map((field) => `${kind}WebhookConfiguration pepr-berth ${entry}.${field}`),
    );
    const pods = [...own, ...each].map((place) => `Deployment pepr-system/${place}`);
    expect(differ).toEqual([...pods, ...asked].toSorted());
  });

  it("applied again, nothing is changed", async () => {
    expect(await target().tryKubectl(["diff", "-k", join(root, "manifests")])).toMatchObject({ code: 0, stdout: "" });
    await target().kubectl(["apply", "-k", join(root, "manifests")]);
    await target().kubectl(["apply", "-f", pools]);
  });

  it("hack/bootstrap --check looks, and changes nothing", async () => {
    const { code, stdout, stderr } = await hack("bootstrap", "--check");
    expect([code, stderr], stdout).toEqual([0, ""]);
    expect(stdout).toMatch(/Berth: {3}installed by kubectl, berth\.dev\/operator:\S+; admission 2\/2, watchers 2\/2/);
  });

  it("hack/remove --drop-addresses --crds leaves Services pending and no kinds", async () => {
    const { code, stdout, stderr } = await hack("remove", "--drop-addresses", "--crds");
    expect([code, stderr], stdout).toEqual([0, ""]);
    await writeService();
    expect(await leftovers()).toEqual([]);
    expect(await inStatus()).toBe("");
    expect(await target().kubectl(["get", "crd", "-o", "name"])).not.toContain("metallb.io");
    expect(await target().kubectl(["get", "namespaces", "-o", "name"])).not.toMatch(/pepr-system|metallb-system/);
  });
});

describe("by Helm", () => {
  const helm = async (...args: readonly string[]): Promise<string> =>
    run(await helmBinary(), [...args], { env: environment() });

  it("from nothing, the Service has its address, and it is reached", async () => {
    await helm("install", "berth", join(root, BUILT.chart), "--wait", "--timeout", "4m");
    await target().kubectl(["apply", "-f", "-"], POOLS);
    await reach();
  });

  it("there is what kubectl apply -k leaves", async () => {
    expect(differences(cell.byKubectl ?? expect.fail(), await live())).toEqual([]);
  });

  it("values count, and stay when the operator starts again", async () => {
    const set = ["--set", "announcer.resources.requests.cpu=60m", "--set", "watcher.replicas=1"];
    await helm("upgrade", "berth", join(root, BUILT.chart), ...set, "--wait", "--timeout", "4m");
    await awaitReady();
    const daemonSet = await target().json(["get", "daemonset", "announcer", "-n", "metallb-system"]);
    const [container] = pickList(daemonSet, "spec", "template", "spec", "containers");
    expect(pickText(container, "resources", "requests", "cpu")).toBe("60m");
    await reach();
  });

  it("hack/bootstrap and hack/remove leave to Helm what is Helm's", async () => {
    for (const [command, word] of [
      ["bootstrap", "helm upgrade"],
      ["remove", "helm uninstall berth -n default"],
    ] as const) {
      expect(await hack(command)).toMatchObject({ code: 1, stderr: expect.stringContaining(word) as string });
    }
  });

  it("helm uninstall holds up no Service, and hack/remove takes what no chart knows of", async () => {
    await helm("uninstall", "berth", "--wait");
    await writeService();
    const { code, stdout } = await hack("remove", "--drop-addresses", "--crds");
    expect(code, stdout).toBe(0);
    expect(await leftovers()).toEqual([]);
    expect(await inStatus()).toBe("");
  });
});

describe("by hack/bootstrap", () => {
  it("somebody without rights is told which are missing, and nothing is changed", async () => {
    const kubectl = `${cell.kubectl ?? ""} --as=somebody`;
    const nobody = await attempt(join(root, "hack/bootstrap"), [], { env: { ...environment(), KUBECTL: kubectl } });
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringMatching(/^bootstrap: .*\n$/) as string });
    await target().kubectl(["create", "clusterrolebinding", "ways-view", "--clusterrole=view", "--user=somebody"]);
    const viewer = await attempt(join(root, "hack/bootstrap"), [], { env: { ...environment(), KUBECTL: kubectl } });
    expect(viewer.stderr).toMatch(/^bootstrap: you may not create .*; sign in as a cluster administrator\n$/);
    expect(viewer.code).toBe(1);
    expect(await leftovers()).toEqual([]);
  });

  it("interrupted half-way, it says what is left; run again, it finishes", async () => {
    const child = spawn(join(root, "hack/bootstrap"), ["--pools", pools], {
      env: { ...process.env, ...environment() },
      detached: true,
    });
    const said: string[] = [];
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
    await until("the first objects", 60_000, 20, async () => {
      const { code } = await target().tryKubectl(["get", "namespace", "pepr-system"]);
      return code === 0 ? true : undefined;
    });
    process.kill(-(child.pid ?? expect.fail()), "SIGINT");
    const [code] = (await once(child, "close")) as [number];
    expect([code, said.join("")]).toEqual([
      130,
      expect.stringMatching(/^bootstrap: interrupted: Berth may be there in part; run hack\/bootstrap again/),
    ]);
    const again = await hack("bootstrap", "--pools", pools);
    expect([again.code, again.stderr], again.stdout).toEqual([0, ""]);
    expect(again.stdout).toMatch(
      /objects applied[^]*admission 2\/2, watchers 2\/2, announcers \d\/\d[^]*Berth .* is ready:[^]*pool ways\/ways: /,
    );
    await reach();
  });

  it("run once more, it changes nothing and is ready at once", async () => {
    const before = await live();
    const { code, stdout, stderr } = await hack("bootstrap");
    expect([code, stderr], stdout).toEqual([0, ""]);
    expect(differences(before, await live())).toEqual([]);
    expect(differences(cell.byKubectl ?? expect.fail(), before)).toEqual([]);
  });

  it("a pool file that the cluster refuses leaves Berth installed, and says so", async () => {
    const taken = join(folder, "taken.yaml");
    writeFileSync(taken, POOLS.split("---")[0]?.replace("name: ways,", "name: other,") ?? "");
    const { code, stderr } = await hack("bootstrap", "--pools", taken);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^bootstrap: Berth is installed and ready, but the pool file was refused: .*overlap.*\n$/);
  });

  it("the objects are those of the rendered file", async () => {
    const rendered = parseObjects(await run("cat", [join(root, BUILT.rendered)])).map(nameOf);
    expect([...(await live()).keys()].toSorted()).toEqual(rendered.toSorted());
  });
});
