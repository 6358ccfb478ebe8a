/** What `pepr build` makes webhook rules and permissions of. */
import type { Capability } from "pepr";
import { expect, test } from "vitest";
import { MemoryStore } from "../support/memory-api.ts";
import { processOver } from "../support/world.ts";

/** The bindings as `pepr build` exports them, without the callbacks. */
const exported = ({ name, description, bindings }: Capability): string => {
  const inBuild = bindings.map(({ kind, event, filters, isMutate, isValidate, isWatch, isQueue, isFinalize }) => ({
    kind,
    event,
    filters,
    isMutate,
    isValidate,
    isWatch,
    isQueue,
    isFinalize,
  }));
  return `${JSON.stringify({ name, description, bindings: inBuild }, undefined, 2)}\n`;
};

const capabilities = processOver(new MemoryStore().client()).parts.map(({ capability }) => capability);

test("the module has exactly four capabilities", () => {
  expect(capabilities.map(({ name }) => name)).toEqual(["services", "pools", "announcements", "peers"]);
});

test.each(capabilities.map((capability) => ({ name: capability.name, capability })))(
  "the bindings of $name are those of its golden file",
  async ({ name, capability }) => {
    await expect(exported(capability)).toMatchFileSnapshot(`${name}.golden`);
  },
);
