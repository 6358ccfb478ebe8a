/** Each change of the node that announces a Service is told in one Event, whatever request fails on the way. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import type { Hook, MemoryCall } from "../support/memory-api.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds } from "../support/world.ts";
import { assigned, report, seed, statuses } from "./announcing.ts";

const worlds = useWorlds();

const told = (name: string): string => `nodeAssigned: announcing from node "${name}" with protocol "layer2"`;

describe("the Event nodeAssigned", () => {
  type Failing = { readonly verb: MemoryCall["verb"]; readonly plural: string; readonly how: "refused" | "unanswered" };

  /** Has the watcher's next such request fail, before or after it was carried out, once it is armed. */
  function failingOnce({ verb, plural, how }: Failing): {
    hook: (process: string) => Hook;
    arm: () => void;
    failed: () => boolean;
  } {
    let state: "unarmed" | "armed" | "failed" = "unarmed";
    const hook =
      (process: string): Hook =>
      async (call, run) => {
        if (state !== "armed" || process !== "watcher" || call.verb !== verb || call.plural !== plural) return run();
        state = "failed";
        if (how === "unanswered") await run();
        throw new Error("no answer");
      };
    return {
      hook,
      arm: () => {
        state = "armed";
      },
      failed: () => state === "failed",
    };
  }

  it.each<Failing>([
    { verb: "create", plural: "servicel2statuses", how: "refused" },
    { verb: "create", plural: "servicel2statuses", how: "unanswered" },
    { verb: "merge", plural: "servicel2statuses", how: "refused" },
    { verb: "merge", plural: "servicel2statuses", how: "unanswered" },
    { verb: "create", plural: "events", how: "refused" },
  ])("is told once where a $verb of $plural is $how", async (failing) => {
    const { hook, arm, failed } = failingOnce(failing);
    const world = await worlds.open(seed, { hook });
    arm();
    report(world, "node-1", "10.0.0.1");
    await pass(2_000);
    expect(failed()).toBe(true);
    expect(assigned(world)).toEqual([told("node-1")]);
    expect(statuses(world).map(({ status }) => status?.node)).toEqual(["node-1"]);
    report(world, "node-1");
    report(world, "node-2", "10.0.0.1");
    await pass(2_000);
    expect(assigned(world)).toEqual(["node-1", "node-2"].map(told));
  });

  it.each([
    { nodes: ["node-1", "node-2", "node-1"], rule: "each change of node" },
    { nodes: ["node-1", undefined, "node-1"], rule: "a node that answers again" },
  ])("is told of $rule, also where no object could be deleted meanwhile", async ({ nodes }) => {
    let isDown = true;
    const hook = (): Hook => (call, run) =>
      call.verb === "remove" && call.plural === "servicel2statuses" && isDown
        ? Promise.reject(new Error("no answer"))
        : run();
    const world = await worlds.open(seed, { hook });
    for (const name of nodes) {
      for (const one of ["node-1", "node-2"]) report(world, one, ...(one === name ? ["10.0.0.1"] : []));
      await pass(2_000);
    }
    const expected = nodes.filter((name) => name !== undefined).map(told);
    expect(assigned(world)).toEqual(expected);
    isDown = false;
    await pass(10_000);
    expect(assigned(world)).toEqual(expected);
    expect(statuses(world).map(({ status }) => status?.node)).toEqual(["node-1"]);
  });

  it("is told by the next watcher, where one ended before the status said so", async () => {
    const first = await worlds.open(seed);
    report(first, "node-1", "10.0.0.1");
    await pass(1_000);
    const begun = first.store.all(kinds.l2Statuses).map((object) => ({ ...object, status: {} }));
    const again = await worlds.open({ ...seed, leases: first.store.all(kinds.leases), l2Statuses: begun });
    await pass(1_000);
    expect(assigned(again)).toEqual([told("node-1")]);
    expect(statuses(again).map(({ status }) => status?.node)).toEqual(["node-1"]);
  });
});
