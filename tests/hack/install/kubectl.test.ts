import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { kubectlFor, type Kubectl } from "../../../hack/src/install/kubectl.ts";

const folder = mkdtempSync(join(tmpdir(), "berth-kubectl-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A kubectl that can't do anything but complain like this. */
function complaining(name: string, complaint: string): Kubectl {
  const program = join(folder, name);
  writeFileSync(program, `#!/bin/sh\necho ${JSON.stringify(complaint)} >&2\nexit 1\n`);
  chmodSync(program, 0o755);
  return kubectlFor(undefined, { KUBECTL: program });
}

it("lists nothing of a kind that the cluster does not know", async () => {
  const kubectl = complaining("unknown", `error: the server doesn't have a resource type "bgppeers"`);
  expect(await kubectl.list("bgppeers.metallb.io", "-A")).toEqual([]);
});

it("says what to do where the objects of a kind can't be converted any more", async () => {
  const kubectl = complaining(
    "unconverted",
    "Error from server: conversion webhook for metallb.io/v1beta1, Kind=BGPPeer failed: Post https://metallb-webhook-service.metallb-system.svc:443/convert?timeout=30s: service metallb-webhook-service not found",
  );
  await expect(kubectl.list("bgppeers.metallb.io", "-A")).rejects.toThrow(
    /^bgppeers\.metallb\.io cannot be read, since the webhook that converts its versions does not answer; .* kubectl patch crd bgppeers\.metallb\.io /,
  );
});

it("hands on any other complaint as kubectl has it, without its prefix", async () => {
  const kubectl = complaining("forbidden", "Error from server (Forbidden): services is forbidden");
  await expect(kubectl.list("services")).rejects.toThrow(/^services is forbidden$/);
});
