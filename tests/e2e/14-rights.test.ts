import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { pick, pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Finished } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { lab } from "./lab.ts";

type Announcer = { readonly pod: string; readonly node: string; readonly token: string };

const cell: { target?: Target; own?: Announcer; other?: string } = {};
const inNamespace = ["-n", "metallb-system"];

const tokenOf = async ({ kubectl }: Target, ...bound: readonly string[]): Promise<string> =>
  (await kubectl(["create", "token", "announcer", ...inNamespace, ...bound])).trim();

beforeAll(async () => {
  const target = await lab();
  const pods = pickList(await target.json(["get", "pods", ...inNamespace, "-l", "component=announcer"]), "items");
  const [pod, node] = [pickText(pods[0], "metadata", "name"), pickText(pods[0], "spec", "nodeName")];
  const token = await tokenOf(target, "--bound-object-kind=Pod", `--bound-object-name=${pod}`);
  [cell.target, cell.own, cell.other] = [target, { pod, node, token }, pickText(pods[1], "spec", "nodeName")];
});

/** kubectl with that token, in place of the admin's certificate. */
function as(token: string, args: readonly string[], input?: string): Promise<Finished> {
  const { kubeconfig, tryKubectl } = cell.target!;
  const config = JSON.parse(readFileSync(kubeconfig, "utf8")) as { users: { name: string; user: object }[] };
  const users = config.users.map(({ name }) => ({ name, user: { token } }));
  const path = join(mkdtempSync(join(tmpdir(), "berth-rights-")), "kubeconfig");
  writeFileSync(path, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return tryKubectl([`--kubeconfig=${path}`, ...inNamespace, ...args], input);
}

const patchLease = (token: string, node: string, patch: object): Promise<Finished> =>
  as(token, ["patch", "lease", `announcer-${node}`, "--type=merge", "--dry-run=server", "-p", JSON.stringify(patch)]);
const renewal = { spec: { renewTime: "2027-01-01T00:00:00.000000Z" } };

test("an announcer's token renews the Lease of its own node", async () => {
  const { token, node } = cell.own!;
  expect(await patchLease(token, node, renewal)).toMatchObject({ code: 0 });
  const status = { metadata: { annotations: { "berth.dev/status": "{}" } } };
  expect(await patchLease(token, node, status)).toMatchObject({ code: 0 });
});

test("it can't write the Lease of another node, and is told which one is its own", async () => {
  const { token, node } = cell.own!;
  const { code, stderr } = await patchLease(token, cell.other!, renewal);
  expect(code).toBe(1);
  expect(stderr).toContain(
    `Lease "announcer-${cell.other!}" is not the one of this announcer, which is "announcer-${node}"; write to that one`,
  );
});

test.each([
  ["its plan", { metadata: { annotations: { "berth.dev/plan": "{}" } } }],
  ["its labels", { metadata: { labels: { "berth.dev/node": "elsewhere" } } }],
])("it can't change %s, which is the operator's", async (_, patch) => {
  const { token, node } = cell.own!;
  const { code, stderr } = await patchLease(token, node, patch);
  expect(code).toBe(1);
  expect(stderr).toContain("has its plan and labels from the operator");
});

test("it can't make a Lease of another name", async () => {
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "announcer.1.node-1" } };
  const args = ["create", "--dry-run=server", "--validate=false", "-f", "-"];
  const { code, stderr } = await as(cell.own!.token, args, JSON.stringify(lease));
  expect(code).toBe(1);
  expect(stderr).toContain("is not the one of this announcer");
});

test("a token that is bound to no pod names no node, and writes no Lease", async () => {
  const token = await tokenOf(cell.target!);
  const { code, stderr } = await patchLease(token, cell.own!.node, renewal);
  expect(code).toBe(1);
  expect(stderr).toContain("names no node; use the token of its pod");
});

test.each([
  { what: "delete a Lease", args: ["delete", "lease", "announcer-node-1", "--dry-run=server"] },
  { what: "read another Secret", args: ["get", "secret", "other"] },
  { what: "list Secrets", args: ["get", "secrets"] },
  { what: "read Services", args: ["get", "services"] },
])("an announcer's token can't $what", async ({ args }) => {
  const { code, stderr } = await as(cell.own!.token, args);
  expect(code).toBe(1);
  expect(stderr).toContain("Forbidden");
});

test("the operator's pods satisfy the restricted Pod Security Standard, although their namespace enforces less", async () => {
  const { json, tryKubectl } = cell.target!;
  const { labels } = pick(await json(["get", "namespace", "pepr-system"]), "metadata") as { labels: object };
  expect(labels).toMatchObject({
    "pod-security.kubernetes.io/enforce": "baseline",
    "pod-security.kubernetes.io/warn": "restricted",
  });
  // The API server warns of every pod that a stricter label would refuse.
  const args = ["label", "namespace", "pepr-system", "--overwrite", "--dry-run=server"];
  const { code, stderr } = await tryKubectl([...args, "pod-security.kubernetes.io/enforce=restricted"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});
