/** Processes that race on one store, in orders that fast-check chooses. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimAddresses } from "../../cluster/claims.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { printAddress } from "../../core/address/address.ts";
import { pool, service } from "../support/builders.ts";
import { Clusters } from "../support/clusters.ts";
import { MemoryStore, type Hook } from "../support/memory-api.ts";
import { pauseTime, resumeTime } from "../support/paused-time.ts";

beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  resumeTime();
});

const wanted = fc.record({
  process: fc.nat({ max: 1 }),
  name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  pin: fc.option(fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.4"), { nil: undefined, freq: 3 }),
  isAnswerLost: fc.boolean(),
});

/** What a request came to: its Service, and its addresses, the kind of the refusal, or that no answer came. */
type Outcome = { readonly service: string; readonly answer: string };

async function ask(one: Service, cluster: Cluster): Promise<Outcome> {
  const name = one.metadata?.name ?? "";
  const result = await claimAddresses(one, cluster, { isDryRun: false }).catch(() => undefined);
  if (result === undefined) return { service: name, answer: "lost" };
  return { service: name, answer: result.ok ? result.value.addresses.map(printAddress).join() : result.error.kind };
}

test("two processes never give an address twice, and lose none that is free", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(wanted, { minLength: 2, maxLength: 8 }), async (scheduler, requests) => {
      const clusters = new Clusters();
      const store = new MemoryStore();
      store.seed(kinds.pools, pool("lan", ["10.0.0.1-10.0.0.5"]));
      const lossy = new Set<string>(requests.filter(({ isAnswerLost }) => isAnswerLost).map(({ name }) => name));
      const isRacing = { now: false };
      const hook: Hook = async (call, run) => {
        if (!isRacing.now) return run();
        await scheduler.schedule(Promise.resolve(), `${call.verb} ${call.key}`);
        const answer = await run();
        const owner = store.get(kinds.claims, { name: call.key })?.spec?.parentRef.name ?? "";
        // One answer of each name is lost, so that the next request of it finds the claim.
        if (call.verb === "create" && lossy.delete(owner)) throw new Error("socket hang up");
        return answer;
      };
      const processes = [await clusters.start(store, { hook }), await clusters.start(store, { hook })];
      isRacing.now = true;
      const asked = requests.map(async ({ process, name, pin }) => {
        const cluster = processes[process];
        await scheduler.schedule(Promise.resolve(), `begin ${name}`);
        return ask(service(`default/${name}`, pin === undefined ? {} : { pin }), cluster ?? expect.fail());
      });
      const outcomes = await scheduler.waitFor(Promise.all(asked));
      isRacing.now = false;
      await scheduler.waitIdle();
      clusters.end();

      const owners = new Map(
        store.all(kinds.claims).map(({ metadata, spec }) => [metadata?.name ?? "", spec?.parentRef.name ?? ""]),
      );
      for (const { service: name, answer } of outcomes.filter(({ answer: one }) => one.startsWith("10."))) {
        expect(owners.get(answer), `${answer} was given to ${name}`).toBe(name);
      }
      const isSomeRefused = outcomes.some(({ answer }) => answer === "poolsFull");
      if (isSomeRefused) expect(owners.size).toBe(5);
      for (const owner of owners.values()) expect(requests.map(({ name }) => name)).toContain(owner);
    }),
    { numRuns: 150 },
  );
});
