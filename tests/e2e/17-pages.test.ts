/**
 * Every command of the pages that are read with Berth at work runs as it stands, and shows what the page says that it shows.
 * The pages about bringing it and taking it away are followed in tests/ways, the one about moving over in tests/migration.
 * Of all pages, what they have people write is accepted, and what they have people look at is there.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Service } from "../../cluster/kinds.ts";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { WEB_IMAGE } from "../../hack/src/lab/images.ts";
import { labPaths } from "../../hack/src/lab/paths.ts";
import { attempt, type Finished } from "../../hack/src/shell.ts";
import { root } from "../../hack/src/target.ts";
import { notPrinted, Page } from "../support/page.ts";
import { givenAddress, lab } from "./lab.ts";
import { Person, poolOf } from "./people.ts";

const NAMESPACE = "pages";
/** The programs that a page has people run on a machine of the network, and not beside the API server. */
const ON_THE_NETWORK = /^(arping|curl|ip) /;
const PAGES = [
  "addresses.md",
  "design.md",
  "ip-planning.md",
  "messages.md",
  "operations.md",
  "pools.md",
  "troubleshooting.md",
] as const;

const cell: { folder?: string; address?: string; path?: string } = {};

beforeAll(async () => {
  const target = await lab();
  const someone = new Person(target, NAMESPACE);
  await target.kubectl(["create", "namespace", NAMESPACE]);
  await someone.put({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: NAMESPACE, name: "web" },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: WEB_IMAGE }] },
      },
    },
  });
  const spec = { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] };
  cell.address = (await someone.apply("web", { spec })).address;
  await target.kubectl(["wait", "-n", NAMESPACE, "svc/web", "--for=condition=berth.dev/Announced", "--timeout=90s"]);
  cell.folder = mkdtempSync(join(tmpdir(), "berth-pages-"));
  const { cache } = labPaths(target.name, process.env);
  cell.path = join((await kubernetesBinaries(cache)).kubectl, "..");
  // The page's reader has his Service in the namespace that kubectl is set to.
  const own = readFileSync(target.kubeconfig, "utf8").replace(/("context": \{)/, `$1 "namespace": "${NAMESPACE}",`);
  writeFileSync(join(cell.folder, "kubeconfig"), own);
  writeFileSync(join(cell.folder, "web.yaml"), JSON.stringify(someone.service("web", { spec })));
});

afterAll(async () => {
  const { kubectl } = await lab();
  await kubectl(["delete", "namespace", NAMESPACE]);
  if (cell.folder !== undefined) rmSync(cell.folder, { recursive: true });
});

async function type(command: string): Promise<Finished> {
  const { tryExec } = await lab();
  const here = command.replaceAll(/192\.168\.1\.20[05]/g, cell.address!).replaceAll("eth0", "lan0");
  if (ON_THE_NETWORK.test(here) || here.startsWith("for ")) return tryExec("client", "bash", "-c", here);
  const env = { PATH: `${cell.path!}:${process.env["PATH"]!}`, KUBECONFIG: join(cell.folder!, "kubeconfig") };
  return attempt("bash", ["-o", "pipefail", "-c", here], { env, cwd: cell.folder! });
}

const commands = PAGES.flatMap((page) => new Page(page).commands.map((command) => ({ page, ...command })));
/** How many addresses are in use is another figure in each cluster. */
const withoutFigures = (text: string): string => text.replaceAll(/\d+/g, "N");

test.each(commands)("$page: $command", { timeout: 60_000 }, async ({ command, shown }) => {
  const { code, stdout, stderr } = await type(command);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.trim()).not.toBe("");
  expect(shown === "" ? [] : notPrinted(withoutFigures(shown), withoutFigures(stdout)), stdout).toEqual([]);
});

test("the conditions that the page asks for name the pool, the node and the interface", async () => {
  const { commands: all } = new Page("troubleshooting.md");
  const [assigned, announced] = all.flatMap(({ command }) => (command.includes("jsonpath") ? [command] : []));
  expect((await type(assigned!)).stdout).toContain(`${cell.address!} from IPAddressPool "network/homelab-pool"`);
  expect((await type(announced!)).stdout).toMatch(/^Node "node-\d" announces \S+ on (\S+ and )?lan0\b/);
});

const everyPage = ["../README.md", ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"))];

describe("what a page has people look at", () => {
  /** Commands that find nothing on the lab, and why. */
  const ELSEWHERE = {
    "kubectl get configmap kube-proxy -n kube-system -o yaml | grep -i -A3 ipvs": "the lab's kube-proxies have files",
  };
  const isLook = (command: string): boolean => /^kubectl (get|describe|logs) /.test(command);
  /** Shows nothing where all is well. */
  const CLASS = "kubectl get service web -o jsonpath='{.spec.loadBalancerClass}'";
  const looks = everyPage.flatMap((page) => new Page(page).calls.filter(isLook).map((command) => ({ page, command })));
  const here = looks.filter(({ command }) => !(command in ELSEWHERE));

  test("is more than nothing, and what is not there is told of those that stand there", () => {
    expect(here.length).toBeGreaterThan(10);
    expect(looks.map(({ command }) => command)).toEqual(expect.arrayContaining(Object.keys(ELSEWHERE)));
  });

  test.each(here)("$page: $command", async ({ command }) => {
    const pool = command.includes("ipaddresspool") ? "homelab-pool -n network" : "web";
    const { code, stdout, stderr } = await type(command.replace("NAME", pool).replace("ADDRESS", cell.address!));
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    if (command !== CLASS) expect(stdout.trim()).not.toBe("");
  });
});

describe("what a page has people write", () => {
  type Example = {
    readonly kind?: string;
    readonly metadata?: object;
    readonly spec?: { readonly addresses?: object };
  };
  const isForKustomize = (text: string): boolean => text.startsWith("resources:");
  const examples = everyPage.flatMap((page) =>
    new Page(page).examples
      .filter(({ text }) => !isForKustomize(text))
      .flatMap(({ heading, text }) =>
        parseAllDocuments(text).map((document) => ({ page, heading, example: document.toJS() as Example })),
      ),
  );
  const dryRun = ["--dry-run=server", "-o", "json"];
  /** For the pages' address, which another Service of the lab may have. */
  const FREE = "10.86.1.5";

  beforeAll(async () => {
    const { kubectl } = await lab();
    await kubectl(["apply", "-f", "-"], JSON.stringify(poolOf(`${NAMESPACE}/free`, [`${FREE}/32`])));
  });

  /** The object that it is, or that it is written into. */
  function whole(example: Example): object {
    const { kind, metadata, spec } = example;
    if (kind !== undefined) return example;
    const own = { namespace: NAMESPACE, name: "written" };
    if (metadata !== undefined)
      return {
        apiVersion: "v1",
        kind: "Service",
        metadata: { ...metadata, ...own },
        spec: { type: "LoadBalancer", ports: [{ port: 8080 }] },
      };
    const addresses = ["10.86.0.0/28"];
    return { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", metadata: own, spec: { addresses, ...spec } };
  }

  test("is more than nothing", () => {
    expect(examples.length).toBeGreaterThan(7);
  });

  test.each(examples)("$page, $heading: is accepted", async ({ example }) => {
    const { tryKubectl } = await lab();
    // A range that the lab's own pool has is an overlap for any other one.
    const patch = ["patch", "ipaddresspool", "homelab-pool", "-n", "network", "--type=merge", ...dryRun];
    const text = JSON.stringify(whole(example)).replaceAll("192.168.1.205", FREE);
    const { code, stdout, stderr } =
      example.kind === undefined && example.spec?.addresses !== undefined
        ? await tryKubectl([...patch, "-p", JSON.stringify(example)])
        : await tryKubectl(["apply", "--validate=strict", ...dryRun, "-f", "-"], text);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    if (text.includes("loadBalancerIPs")) expect(givenAddress(JSON.parse(stdout) as Service)).toBe(FREE);
  });
});
