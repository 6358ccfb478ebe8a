/**
 * The ways in and out, on real nodes: pepr deploy (which the set-up has done), kubectl apply, Helm, hack/bootstrap, with
 * hack/remove in between, as docs/install.md, upgrade.md and remove.md have them. On a lab of its own, since it takes Berth away.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILT } from "../../hack/src/build.ts";
import { references } from "../../hack/src/images.ts";
import { nameOf, parseObjects, type JsonObject } from "../../hack/src/install/object.ts";
import { labPaths, nodePath } from "../../hack/src/lab/paths.ts";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Finished } from "../../hack/src/shell.ts";
import { root } from "../../hack/src/target.ts";
import { differences } from "../hack/install/differences.ts";
import { seenDuring } from "../migration/client.ts";
import { notPrinted, Page } from "../support/page.ts";
import { Ground, POOLS, VIP } from "./ground.ts";
import { liveObjects } from "./live-objects.ts";
import { OF_PEPRS_DEPLOY } from "./of-peprs-deploy.ts";

const [install, upgrade, remove] = [new Page("install.md"), new Page("upgrade.md"), new Page("remove.md")];
const PEPR_DEPLOY = `npx pepr deploy --image ${references.operator} --yes`;
/** Commands of the pages that are not typed here, and why. */
const ELSEWHERE = {
  [PEPR_DEPLOY]: "the set-up has typed it",
  "ctr -n k8s.io images import operator-0.1.0-amd64.tar   # containerd, on the node":
    "hack/lab load has done it, with the sockets of its nodes",
  "k3s ctr images import operator-0.1.0-amd64.tar         # k3s, on the node": "the nodes have no k3s",
  "skopeo copy oci-archive:dist/images/operator-0.1.0-amd64.tar docker://registry.lan/berth/operator:0.1.0":
    "there is no registry",
};

const PEER = `apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: edge, namespace: metallb-system}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 172.30.0.250}
`;

const cell: { ground?: Ground; byPepr?: Live; byKubectl?: Live } = {};
type Live = ReadonlyMap<string, JsonObject>;
const ground = (): Ground => cell.ground ?? expect.fail();

beforeAll(async () => {
  cell.ground = await Ground.prepare();
  await ground().type(install.section("Other ways in, one result"));
});
afterAll(() => {
  cell.ground?.clear();
});

const kubectl = (...args: readonly string[]): Promise<string> => ground().target.kubectl(args);
const kubectlApply = (text: string): Promise<string> => ground().target.kubectl(["apply", "-f", "-"], text);
const hack = (command: string, ...args: readonly string[]): Promise<Finished> => ground().hack(command, ...args);

/** What the DaemonSet asks for each announcer. */
async function announcersCpu(): Promise<string> {
  const daemonSet = await ground().target.json(["get", "daemonset", "announcer", "-n", "metallb-system"]);
  const [container] = pickList(daemonSet, "spec", "template", "spec", "containers");
  return pickText(container, "resources", "requests", "cpu");
}

/** What all installed objects are in the cluster. */
const live = (): Promise<Live> => liveObjects(ground().target);

/** Takes everything away, and looks that it has gone. */
async function dropAll(): Promise<void> {
  const { code, stdout, stderr } = await hack("remove", "--drop-addresses", "--crds");
  expect([code, stderr], stdout).toEqual([0, ""]);
  await ground().writeService();
  expect(await ground().leftovers()).toEqual([]);
  expect(await ground().inStatus()).toBe("");
  expect(await ground().kindsAndNamespaces()).toEqual([]);
}

/** The tests of a section of the page about installing, on a cluster that has nothing of Berth's. */
function beginsFromNothing(section: string): void {
  it("an empty cluster comes to an address that is reached", async () => {
    await ground().type(install.section(section));
    await ground().awaitReady();
    await kubectlApply(POOLS);
    await ground().reach();
  });

  it("there is what kubectl apply -k leaves", async () => {
    expect(differences(cell.byKubectl ?? expect.fail(), await live())).toEqual([]);
  });
}

describe("by pepr deploy", () => {
  it("an address is reached, and what runs is noted", async () => {
    await ground().awaitReady();
    await ground().reach();
    cell.byPepr = await live();
  });

  it("hack/remove explains and changes nothing without an answer", async () => {
    remove.command("hack/remove");
    const { code, stdout, stderr } = await hack("remove");
    expect([code, stderr]).toEqual([2, "remove: nothing was changed; say --keep-addresses or --drop-addresses\n"]);
    expect(stdout).toMatch(/answering from outside: .*192\.168\.1\.230 of ways\/web/);
    await ground().reach();
  });

  it("hack/remove --keep-addresses leaves the addresses and nothing else, and holds up no Service", async () => {
    await ground().type(remove.command("hack/remove --keep-addresses").command);
    await ground().writeService();
    expect(await ground().leftovers()).toEqual([]);
    expect(await ground().inStatus()).toBe(VIP);
    for (const kind of ["service/web", "ipaddresspool/ways", "l2advertisement/ways"])
      expect(await kubectl("get", kind, "-n", "ways", "-o", "json")).not.toContain("berth.dev");
  });

  it("hack/remove finds nothing to do when all is gone", async () => {
    const { code, stdout } = await hack("remove", "--keep-addresses");
    expect([code, stdout]).toEqual([0, expect.stringContaining("no Service has an address of Berth's")]);
  });

  it("on a node its last plan stays, until the page's command takes it", async () => {
    const { name } = ground().target;
    const folder = join(nodePath(labPaths(name, process.env), "node-1"), "lib/berth");
    expect(readdirSync(folder)).toContain("plan");
    await ground().type(remove.command("rm -r /var/lib/berth").command.replace("/var/lib/berth", folder));
    expect(existsSync(folder)).toBe(false);
  });
});

describe("by kubectl apply -k", () => {
  it("the Service has its address still, and it is reached", async () => {
    await ground().type(install.section("kubectl"));
    await ground().type(upgrade.section("Upgrade")); // waits
    await ground().reach();
    expect(await ground().inStatus()).toBe(VIP);
  });

  it("there is what pepr deploy leaves, but for Pepr's own Secrets and its stamp", async () => {
    cell.byKubectl = await live();
    const differ = differences(cell.byPepr ?? expect.fail(), cell.byKubectl);
    expect(differ).toEqual(OF_PEPRS_DEPLOY);
  });

  it("images of one's own registry are named by the page's kustomization", async () => {
    const folder = join(ground().folder, "own-registry");
    mkdirSync(folder);
    symlinkSync(root, join(folder, "berth"));
    const [example] = install.examples.filter(({ text }) => text.startsWith("resources:"));
    writeFileSync(join(folder, "kustomization.yaml"), example?.text ?? "");
    const images = new Set((await kubectl("kustomize", folder)).match(/(?<=image: )\S+/g));
    const own = Object.values(references).map((one) => one.replace("berth.dev/", "registry.lan/berth/"));
    expect([...images].toSorted()).toEqual(own.toSorted());
  });

  it("applied again, nothing is changed", async () => {
    await ground().type(upgrade.section("By kubectl"));
    const manifests = join(root, "manifests");
    expect(await ground().target.tryKubectl(["diff", "-k", manifests])).toMatchObject({ code: 0, stdout: "" });
  });

  it("hack/bootstrap --check looks, and changes nothing", async () => {
    const { code, stdout, stderr } = await hack("bootstrap", "--check");
    expect([code, stderr], stdout).toEqual([0, ""]);
    expect(stdout).toMatch(/Berth: {3}installed by kubectl, berth\.dev\/operator:\S+; admission 2\/2, watchers 2\/2/);
  });

  it("hack/remove says what would go with the kinds, BGP's included, and changes nothing without an answer", async () => {
    await kubectlApply(PEER);
    const { code, stdout } = await hack("remove", "--crds");
    expect([code, stdout]).toEqual([2, expect.stringMatching(/with them IPAddressPool \(1\), .*BGPPeer \(1\)/)]);
  });

  it("hack/remove that is interrupted half-way says so, and holds up no Service", async () => {
    const said = await ground().interrupted("remove", ["--drop-addresses"], async () => {
      const { code } = await ground().target.tryKubectl(["get", "deployment", "pepr-berth", "-n", "pepr-system"]);
      return code !== 0;
    });
    expect([said.code, said.stderr]).toEqual([
      130,
      expect.stringMatching(/^remove: interrupted; .*run hack\/remove again/),
    ]);
    await ground().writeService();
    expect(await ground().leftovers()).not.toEqual([]);
  });

  it("run again, it finishes, but leaves a namespace in which somebody has a BGPPeer", async () => {
    const { code, stdout } = await hack("remove", "--drop-addresses");
    expect([code, stdout]).toEqual([0, expect.stringContaining("namespace metallb-system stays: BGPPeer edge")]);
    expect(await ground().leftovers()).toEqual([]);
    expect(await kubectl("get", "bgppeers", "-n", "metallb-system", "-o", "name")).toContain("edge");
  });

  it("hack/remove --drop-addresses --crds leaves Services pending and no kinds", dropAll);

  beginsFromNothing("kubectl");

  it("and all of it goes again", dropAll);
});

describe("by the one file", () => {
  beginsFromNothing("One file");

  it("without a checkout, Berth is taken away by the page's commands, and no Service is held up", async () => {
    await ground().type(remove.section("Without this checkout"));
    await ground().writeService();
    expect(await ground().leftovers()).toEqual([]);
    await dropAll();
  });
});

describe("by Helm", () => {
  beginsFromNothing("Helm");

  it("values count, and an upgrade keeps them", async () => {
    const set = ["--set", "announcer.resources.requests.cpu=60m", "--set", "watcher.replicas=1"];
    await ground().helm("upgrade", "berth", join(root, BUILT.chart), ...set, "--wait", "--timeout", "4m");
    await ground().awaitReady();
    expect(await announcersCpu()).toBe("60m");
    const before = await live();
    await ground().type(upgrade.section("By Helm"));
    expect(differences(before, await live())).toEqual([]);
    await ground().type(upgrade.section("Back to the version of before"));
    expect(differences(before, await live())).toEqual([]);
  });

  it("helm rollback brings the values of before back, and a client reaches the address meanwhile", async () => {
    const { [`${VIP}:80`]: seen } = await seenDuring(ground().target, [`${VIP}:80`], async () => {
      await ground().helm("rollback", "berth", "1", "--wait", "--timeout", "4m");
      await ground().awaitReady();
    });
    expect(differences(cell.byKubectl ?? expect.fail(), await live())).toEqual([]);
    expect(await ground().inStatus()).toBe(VIP);
    expect(seen?.got).toBeGreaterThan(10);
    expect(seen?.longestGapMillis).toBeLessThan(1_000);
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
    const [uninstall = "", ...rest] = remove.section("Installed by Helm").trim().split("\n");
    expect(uninstall).toBe("helm uninstall berth");
    await ground().type(uninstall);
    await ground().writeService();
    expect(rest).toHaveLength(1);
    await ground().type(rest.join("\n"));
    await ground().writeService();
    expect(await ground().leftovers()).toEqual([]);
    expect(await ground().inStatus()).toBe(VIP);
  });
});

describe("by hack/bootstrap", () => {
  it("begins on an empty cluster, but for the address that a Service has kept", async () => {
    const { code, stderr } = await hack("remove", "--keep-addresses", "--crds");
    expect([code, stderr]).toEqual([0, ""]);
    expect(await ground().inStatus()).toBe(VIP);
    expect(await ground().kindsAndNamespaces()).toEqual([]);
  });

  it("somebody without rights is told which are missing, and nothing is changed", async () => {
    const asSomebody = `${ground().kubectl} --as=somebody`;
    const nobody = await ground().hackBy(asSomebody, "bootstrap");
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringMatching(/^bootstrap: .*\n$/) as string });
    await kubectl("create", "clusterrolebinding", "ways-view", "--clusterrole=view", "--user=somebody");
    const viewer = await ground().hackBy(asSomebody, "bootstrap");
    expect(viewer.stderr).toMatch(/^bootstrap: you may not create .*; sign in as a cluster administrator\n$/);
    expect(viewer.code).toBe(1);
    expect(await ground().leftovers()).toEqual([]);
  });

  it("interrupted half-way, it says what is left; run again, it finishes, with what the page shows", async () => {
    const { command, shown } = install.command("hack/bootstrap --pools my-pools.yaml");
    const [program = "", ...args] = command.replace("hack/", "").replace("my-pools.yaml", ground().pools).split(" ");
    const said = await ground().interrupted(program, args, async () => {
      const { code } = await ground().target.tryKubectl(["get", "namespace", "pepr-system"]);
      return code === 0;
    });
    expect([said.code, said.stderr]).toEqual([
      130,
      expect.stringMatching(/^bootstrap: interrupted: Berth may be there in part; run hack\/bootstrap again/),
    ]);
    const again = await hack("bootstrap", "--pools", ground().pools);
    expect([again.code, again.stderr], again.stdout).toEqual([0, ""]);
    expect(again.stdout).toMatch(/\n {2}pool ways\/ways: /);
    // What the interrupted run has applied is not told as new: the first lines are those of that run.
    const printed = said.stdout + again.stdout;
    expect(notPrinted(shown.replace('"lab"', `"berth-lab-${ground().target.name}"`), printed), printed).toEqual([]);
    await ground().reach();
  });

  it("run once more, it changes nothing and is ready at once", async () => {
    const before = await live();
    expect(install.section("2. Install")).toBe(upgrade.section("By hack/bootstrap"));
    await ground().type(install.section("2. Install"));
    expect(differences(before, await live())).toEqual([]);
    expect(differences(cell.byKubectl ?? expect.fail(), before)).toEqual([]);
  });

  it("a pool file that the cluster refuses leaves Berth installed, and says so", async () => {
    const taken = join(ground().folder, "taken.yaml");
    writeFileSync(taken, POOLS.split("---")[0]?.replace("name: ways,", "name: other,") ?? "");
    const { code, stderr } = await hack("bootstrap", "--pools", taken);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^bootstrap: Berth is installed and ready, but the pool file was refused: .*overlap.*\n$/);
  });

  it("the objects are those of the rendered file", async () => {
    const rendered = parseObjects(readFileSync(join(root, BUILT.rendered), "utf8")).map(nameOf);
    expect([...(await live()).keys()].toSorted()).toEqual(rendered.toSorted());
  });
});

describe("on the pages", () => {
  it("the images are made, and told", async () => {
    const printed = await ground().type(install.section("1. Bring the images to your nodes"));
    const line = (name: string, reference: string): string =>
      `${reference} …dist/images/${name}-0.1.0-….tar … MiB sha256:…`;
    expect(
      notPrinted(
        Object.entries(references)
          .map(([name, one]) => line(name, one))
          .join("\n"),
        printed,
      ),
    ).toEqual([]);
    for (const archive of printed.match(/\S+\.tar/g) ?? expect.fail(printed)) {
      const bill: unknown = JSON.parse(readFileSync(archive.replace(/tar$/, "cdx.json"), "utf8"));
      expect(bill).toMatchObject({ bomFormat: "CycloneDX" });
      expect(pickList(bill, "components").length).toBeGreaterThan(20);
    }
  });

  it("the samples give addresses, and all is well", async () => {
    await ground().type(install.section("3. Give it addresses"));
    await kubectl("create", "service", "loadbalancer", "given", "--tcp=80", "-n", "ways");
    const printed = await ground().type(install.section("Is it well?"));
    expect(printed).toMatch(/given +LoadBalancer +\S+ +192\.168\.1\.200 /);
  });

  it("every command was typed, but for those that can't be here", () => {
    for (const command of Object.keys(ELSEWHERE)) install.command(command);
    upgrade.command(PEPR_DEPLOY);
    expect([install, upgrade, remove].flatMap((page) => page.untried())).toEqual([]);
  });
});
