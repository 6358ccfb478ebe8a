/** Processes that let Services come in on one claim and leave it at the same time, in orders that fast-check chooses. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { leaveClaim } from "../../cluster/claim-writes.ts";
import { claimAddresses } from "../../cluster/claims.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { claimHolder, claimantsOf } from "../../cluster/read.ts";
import { printAddress } from "../../core/address/address.ts";
import { sharersOf } from "../../core/allocation/sharing.ts";
import { findTermsConflict } from "../../core/allocation/terms.ts";
import { keys } from "../../core/keys.ts";
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

const sharer = (name: string, port: number): Service =>
  service(`default/${name}`, { annotations: { [keys.shareNew]: "k" }, spec: { ports: [{ port }] } });

const act = fc.record({
  process: fc.nat({ max: 1 }),
  name: fc.constantFrom("a", "b", "c", "d"),
  port: fc.constantFrom(80, 81, 82),
  leaves: fc.boolean(),
  isAnswerLost: fc.boolean(),
});

test("whatever comes in and leaves, sharers agree, no answer is untrue, and the address of one who stays is never free", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(act, { minLength: 3, maxLength: 9, size: "max" }),
      async (scheduler, all) => {
        const clusters = new Clusters();
        const store = new MemoryStore();
        store.seed(kinds.pools, pool("lan", ["10.0.0.1-10.0.0.6"]));
        const state = { isRacing: false, lost: all.filter(({ isAnswerLost }) => isAnswerLost).length };
        const hook: Hook = async (call, run) => {
          if (!state.isRacing) return run();
          await scheduler.schedule(Promise.resolve(), `${call.verb} ${call.key}`);
          const answer = await run();
          if (call.verb !== "merge" && call.verb !== "create") return answer;
          const holder = store.get(kinds.claims, { name: "10.0.0.1" });
          if (holder !== undefined) expectAgreement(holder);
          if (state.lost > 0 && call.verb === "merge") {
            state.lost -= 1;
            throw new Error("socket hang up");
          }
          return answer;
        };
        const processes = [await clusters.start(store, { hook }), await clusters.start(store, { hook })];
        const [first] = processes;
        if (first === undefined) throw new Error("no process");
        // One that stays all the time, and that nobody's leaving may free.
        await claimAddresses(sharer("stays", 1), first, { isDryRun: false });
        state.isRacing = true;
        const given = await scheduler.waitFor(
          Promise.all(
            all.map(async ({ process, name, port, leaves }) => {
              const cluster = processes[process] ?? first;
              await scheduler.schedule(Promise.resolve(), `begin ${name}`);
              if (leaves) {
                const who = { namespace: "default", name };
                for (const claim of cluster.claimsOf(who)) await leaveClaim(claim, who, cluster).catch(() => false);
                return undefined;
              }
              const result = await claimAddresses(sharer(name, port), cluster, { isDryRun: false }).catch(
                () => undefined,
              );
              return result?.ok === true ? { name, addresses: result.value.addresses.map(printAddress) } : undefined;
            }),
          ),
        );
        state.isRacing = false;
        await scheduler.waitIdle();
        clusters.end();

        const claims = store.all(kinds.claims);
        for (const claim of claims) expectAgreement(claim);
        const holdersOf = (address: string): readonly string[] =>
          claims
            .filter(({ metadata }) => metadata?.name === address)
            .flatMap((claim) => claimantsOf(claim).map((one) => one.name));
        expect(holdersOf("10.0.0.1")).toContain("stays");
        const leavers = new Set(all.filter(({ leaves }) => leaves).map(({ name }) => name));
        for (const { name, addresses } of given.flatMap((one) =>
          one === undefined || leavers.has(one.name) ? [] : [one],
        )) {
          for (const address of addresses)
            expect(holdersOf(address), `${address} was given to ${name}`).toContain(name);
        }
      },
    ),
    { numRuns: 150, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
  );
});

/** No two sharers stand in each other's way, on any of the terms that bind them. */
function expectAgreement(claim: Parameters<typeof claimHolder>[0]): void {
  const sharers = sharersOf(claimHolder(claim));
  for (const [index, one] of sharers.entries()) {
    for (const other of sharers.slice(index + 1)) {
      const conflicts = one.terms.flatMap((mine) => other.terms.map((theirs) => findTermsConflict(mine, theirs)));
      expect(conflicts.filter((conflict) => conflict !== undefined)).toEqual([]);
    }
  }
}
