/** What the ways in and out stand on: a lab, a Service of its own with a page behind it, and the pages about installing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { cacheFolder } from "../../hack/src/cache.ts";
import { helmBinary } from "../../hack/src/helm.ts";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { WEB_IMAGE } from "../../hack/src/lab/images.ts";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import { attempt, run, until, type Finished } from "../../hack/src/shell.ts";
import { root, type Target } from "../../hack/src/target.ts";
import { lab } from "../e2e/lab.ts";
import { type } from "../support/page.ts";

/** The address that the Service asks for. */
export const VIP = "192.168.1.230";
const READY_MILLIS = 180_000;

/** A pool with that address, and an advertisement. */
export const POOLS = `apiVersion: metallb.io/v1beta1
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

/** Kinds of which an installation has objects whose names tell that they are Berth's. */
const KINDS = [
  "deployments,daemonsets,serviceaccounts,secrets,leases,roles,rolebindings,networkpolicies,poddisruptionbudgets,pods",
  "clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations",
  "validatingadmissionpolicies,validatingadmissionpolicybindings,ipaddresses",
];

/** The lab, and somebody in the checkout whose kubectl and helm are set to it. */
export class Ground {
  readonly target: Target;
  /** A folder for this run alone, with the pools in `pools`. */
  readonly folder = mkdtempSync(join(tmpdir(), "berth-ways-"));
  readonly pools = join(this.folder, "pools.yaml");
  readonly kubectl: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(target: Target, kubectl: string, helm: string) {
    this.target = target;
    this.kubectl = kubectl;
    const PATH = [dirname(kubectl), dirname(helm), process.env["PATH"]].join(":");
    this.#env = { PATH, KUBECONFIG: target.kubeconfig };
    writeFileSync(this.pools, POOLS);
  }

  /** The lab with the Service. */
  static async prepare(): Promise<Ground> {
    const { kubectl } = await kubernetesBinaries(cacheFolder());
    const ground = new Ground(await lab(), kubectl, await helmBinary());
    await ground.target.kubectl(["create", "namespace", "ways"]);
    await ground.target.kubectl(["apply", "-f", "-"], POOLS);
    await ground.target.kubectl(["apply", "-f", "-"], WEB);
    return ground;
  }

  clear(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Runs what stands on a page; rejects when it fails. */
  type(script: string): Promise<string> {
    return type(script, this.#env);
  }

  /** A script of hack/, whatever its exit code. */
  hack(command: string, ...args: readonly string[]): Promise<Finished> {
    return attempt(join(root, "hack", command), args, { env: this.#env });
  }

  /** The same, by a kubectl of another call, such as one with `--as`. */
  hackBy(kubectl: string, command: string): Promise<Finished> {
    return attempt(join(root, "hack", command), [], { env: { ...this.#env, KUBECTL: kubectl } });
  }

  /** The same, with Ctrl-C as soon as something has come to be. */
  async interrupted(
    command: string,
    args: readonly string[],
    hasCome: () => Promise<boolean>,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const env = { ...process.env, ...this.#env };
    const child = spawn(join(root, "hack", command), args, { env, detached: true });
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString()));
    const closed = once(child, "close");
    await until("the moment to interrupt", 60_000, 20, async () => ((await hasCome()) ? true : undefined));
    process.kill(-(child.pid ?? expect.fail("no process")), "SIGINT");
    const [code] = (await closed) as [number];
    return { code, ...said };
  }

  async helm(...args: readonly string[]): Promise<string> {
    return run("helm", args, { env: this.#env });
  }

  async awaitReady(): Promise<void> {
    const within = `--timeout=${String(READY_MILLIS / 1_000)}s`;
    for (const [namespace, name] of [
      ["pepr-system", "deployment/pepr-berth"],
      ["pepr-system", "deployment/pepr-berth-watcher"],
      ["metallb-system", "daemonset/announcer"],
    ] as const) {
      await this.target.kubectl(["rollout", "status", "-n", namespace, name, within]);
    }
  }

  /** The addresses in the status of the Service. */
  async inStatus(): Promise<string> {
    const service = await this.target.json(["get", "service", "web", "-n", "ways"]);
    return pickList(service, "status", "loadBalancer", "ingress")
      .map((entry) => pickText(entry, "ip"))
      .join();
  }

  /** From outside, the page at the address. */
  reach(): Promise<true> {
    return until(`HTTP 200 from ${VIP}`, 30_000, 200, async () => {
      const curl = ["curl", "-s", "-m", "2", "-w", "HTTP %{http_code}", `http://${VIP}/`];
      return (await this.target.tryExec("client", ...curl)).stdout.includes("HTTP 200") ? true : undefined;
    });
  }

  /** Whatever of Berth is in the cluster. */
  async leftovers(): Promise<readonly string[]> {
    const claimed = ["ip", "-l", "ipaddress.kubernetes.io/managed-by=berth.dev"];
    const named = await Promise.all(
      KINDS.map((kinds) => this.target.kubectl(["get", kinds, "-A", "-o", "name", "--ignore-not-found"])),
    );
    const claims = (await this.target.kubectl(["get", ...claimed, "-o", "name"])).split("\n");
    const names = named.flatMap((text) => text.split("\n")).filter((name) => /berth|announcer/.test(name));
    return [...names, ...claims].filter((name) => name !== "");
  }

  /** MetalLB's kinds, and the namespaces that an installation makes. */
  async kindsAndNamespaces(): Promise<readonly string[]> {
    const names = (await this.target.kubectl(["get", "crds,namespaces", "-o", "name"])).split("\n");
    return names.filter((name) => /metallb\.io|pepr-system|metallb-system/.test(name));
  }

  /** A write of a Service is not held up by anybody. */
  async writeService(): Promise<void> {
    const label = ["label", "service", "web", "-n", "ways", "--overwrite", `seen=${String(Date.now())}`];
    await this.target.kubectl(label);
    await this.target.kubectl(["create", "service", "loadbalancer", "brief", "--tcp=80", "-n", "ways"]);
    await this.target.kubectl(["delete", "service", "brief", "-n", "ways"]);
  }
}
