/** hack/bootstrap and hack/remove called as people call them, where they can't do what they are for. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { cacheFolder } from "../../../hack/src/cache.ts";
import { kubernetesBinaries } from "../../../hack/src/lab/binaries.ts";
import { attempt, type Finished } from "../../../hack/src/shell.ts";
import { root } from "../../../hack/src/target.ts";

const folder = mkdtempSync(join(tmpdir(), "berth-bad-input-"));
const cell: { kubectl?: string; server?: Server } = {};

beforeAll(async () => {
  cell.kubectl = (await kubernetesBinaries(cacheFolder())).kubectl;
}, 1_200_000);

afterAll(() => {
  cell.server?.close();
  rmSync(folder, { recursive: true });
});

/** A kubeconfig for an API server at this address. */
function kubeconfig(url: string): string {
  const path = join(folder, `kubeconfig-${new URL(url).port}`);
  const cluster = {
    clusters: [{ name: "lan", cluster: { server: url } }],
    contexts: [{ name: "lan", context: { cluster: "lan", user: "" } }],
  };
  writeFileSync(path, JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": "lan", ...cluster }));
  return path;
}

const pool = (addresses: string): string =>
  `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: home, namespace: network}\nspec: {addresses: [${addresses}]}\n`;

const call = (
  command: "bootstrap" | "remove",
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Finished> =>
  attempt(join(root, "hack", command), args, {
    env: { KUBECTL: cell.kubectl, KUBECONFIG: kubeconfig("http://127.0.0.1:1"), ...env },
  });

describe.each(["bootstrap", "remove"] as const)("hack/%s", (command) => {
  it("says in one sentence that no cluster answers, and exits non-zero", async () => {
    const { code, stdout, stderr } = await call(command, []);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      new RegExp(`^${command}: no cluster answers in kubectl's context "lan" \\(.*refused.*\\); see that .*\\n$`),
    );
  });

  it("says in one sentence that there is no kubectl", async () => {
    const { code, stderr } = await call(command, [], { KUBECTL: "/nonexistent/kubectl" });
    expect([code, stderr]).toEqual([
      1,
      `${command}: there is no /nonexistent/kubectl to run; install kubectl, or name it in KUBECTL\n`,
    ]);
  });

  it("refuses an option that it does not know", async () => {
    const { code, stderr } = await call(command, ["--force"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("'--force'")]);
  });
});

test("hack/bootstrap does not begin on a cluster that is too old", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ""} ${(request.url ?? "").split("?")[0] ?? ""}`);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ major: "1", minor: "32", gitVersion: "v1.32.4+k3s1" }));
  }).listen(0, "127.0.0.1");
  cell.server = server;
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await call("bootstrap", [], { KUBECONFIG: kubeconfig(`http://127.0.0.1:${String(port)}`) });
  expect([code, stderr]).toEqual([
    1,
    "bootstrap: the cluster runs Kubernetes v1.32.4+k3s1, which has no IPAddress objects to record addresses in; upgrade it to 1.33 or newer; nothing was changed\n",
  ]);
  expect(asked).toEqual(["GET /version"]);
});

test("hack/remove is not given two answers to one question", async () => {
  const { code, stderr } = await call("remove", ["--keep-addresses", "--drop-addresses"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("are opposites; give one of them")]);
});

test("hack/bootstrap does not begin with a pool file that is wrong", async () => {
  const path = join(folder, "pools.yaml");
  writeFileSync(path, pool("10.0.0.9-10.0.0.1"));
  const { code, stdout, stderr } = await call("bootstrap", ["--pools", path]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toBe(
    `bootstrap: pool file "${path}": IPAddressPool "network/home" has in spec.addresses "10.0.0.9-10.0.0.1", which runs backwards; write 10.0.0.1-10.0.0.9\n`,
  );
});

test("hack/images says on what machine an image of another architecture is built, and builds none", async () => {
  const here = process.arch === "arm64" ? "arm64" : "amd64";
  const other = here === "arm64" ? "amd64" : "arm64";
  const output = join(folder, "images");
  const { code, stdout, stderr } = await attempt(join(root, "hack/images"), ["--arch", other, "--output", output], {});
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toBe(`images: this machine builds ${here}, not ${other}; run hack/images on a machine of that kind\n`);
  expect(existsSync(output)).toBe(false);
});
