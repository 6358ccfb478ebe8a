import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { Leadership } from "../../cluster/leadership.ts";
import { keys } from "../../core/keys.ts";
import { MemoryStore, type Hook } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

const key = { namespace: keys.operatorNamespace, name: keys.watcherLease };
const ends: (() => void)[] = [];

beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  resumeTime();
});

/** What stands between a watcher and the API server. */
type Line = "up" | "down" | "silent" | "deaf" | "slow";

/** A watcher that contends; `line` can be changed while it does. */
class Watcher {
  line: Line = "up";
  readonly terms: AbortSignal[] = [];
  isSettled = false;
  readonly leadership: Leadership;

  constructor(store: MemoryStore) {
    const hook: Hook = (call, run) => {
      if (this.line === "down") return Promise.reject(new Error("connect ECONNREFUSED"));
      const isWatch = call.verb === "watch" || call.verb === "watch event";
      if (this.line === "slow" && !isWatch) return lateAnswer(run);
      const isHeld = this.line === "silent" || (this.line === "deaf" && isWatch);
      return isHeld ? new Promise(() => undefined) : run();
    };
    this.leadership = new Leadership(store.client({ hook }), (term) => {
      this.terms.push(term);
      return Promise.resolve();
    });
    void this.leadership.settled.then(() => {
      this.isSettled = true;
    });
    void this.leadership.start();
    ends.push(() => void this.leadership.stop());
  }

  get leads(): boolean {
    return this.terms.at(-1)?.aborted === false;
  }

  /** As SIGKILL does it: it never says or hears a word again. */
  crash(): void {
    this.line = "silent";
    ends.push(() => (this.line = "down"));
  }
}

/** Done at once, and answered after 2.5 s. */
async function lateAnswer<T>(run: () => Promise<T>): Promise<T> {
  const answer = await run();
  return new Promise((resolve) => setTimeout(resolve, 2_500, answer));
}

const holderIn = (store: MemoryStore): string => store.get(kinds.leases, key)?.spec?.holderIdentity ?? "";

/** Two watchers, of which the first leads. */
async function pair(): Promise<{ store: MemoryStore; first: Watcher; second: Watcher }> {
  const store = new MemoryStore();
  const first = new Watcher(store);
  await pass(10);
  const second = new Watcher(store);
  await pass(10);
  expect([first.leads, second.leads]).toEqual([true, false]);
  return { store, first, second };
}

/** Milliseconds until it is so; fails where it takes longer than the limit. */
async function passUntil(isSo: () => boolean, limitMillis: number): Promise<number> {
  const step = 10;
  for (let millis = 0; millis <= limitMillis; millis += step) {
    if (isSo()) return millis;
    await pass(step);
  }
  return expect.fail(`not within ${String(limitMillis)} ms`);
}

describe("of two watchers", () => {
  it("one leads, whichever comes first, and stays the leader", async () => {
    const { store, first, second } = await pair();
    const holder = holderIn(store);
    await pass(600_000);
    expect([first.leads, second.leads]).toEqual([true, false]);
    expect([first.terms.length, second.terms.length]).toEqual([1, 0]);
    expect(holderIn(store)).toBe(holder);
  });

  it("exactly one leads where both begin at the same moment", async () => {
    const store = new MemoryStore();
    const watchers = [new Watcher(store), new Watcher(store)];
    await pass(60_000);
    expect(watchers.filter(({ leads }) => leads)).toHaveLength(1);
    expect(watchers.map(({ terms }) => terms.length).toSorted()).toEqual([0, 1]);
  });

  it.each([0, 500, 1_000, 1_500, 1_990])(
    "the other takes over 5 to 7.5 s after a crash %i ms into a renewal",
    async (millis) => {
      const { first, second } = await pair();
      await pass(20_000 + millis);
      first.crash();
      const took = await passUntil(() => second.leads, 7_500);
      expect(took).toBeGreaterThanOrEqual(4_900);
    },
  );

  it("the other takes over at once when the leader is told to stop, which has stopped before", async () => {
    const { store, first, second } = await pair();
    await pass(3_000);
    const stopped = first.leadership.stop();
    expect(first.leads).toBe(false);
    await passUntil(() => second.leads, 100);
    await stopped;
    await pass(60_000);
    expect([first.terms.length, second.terms.length]).toEqual([1, 1]);
    expect(store.get(kinds.leases, key)?.spec?.leaseTransitions).toBe(2);
  });

  it("the one that stands by stops without a word about the Lease", async () => {
    const { store, first, second } = await pair();
    const holder = holderIn(store);
    await second.leadership.stop();
    await pass(20_000);
    expect(first.leads).toBe(true);
    expect(holderIn(store)).toBe(holder);
  });

  it("never both lead, whatever comes between them and the API server, and one does once it is back", async () => {
    const lines: readonly Line[] = ["up", "down", "silent", "deaf", "slow"];
    for (const mine of lines) {
      for (const theirs of lines) {
        const { first, second } = await pair();
        [first.line, second.line] = [mine, theirs];
        for (let step = 0; step < 300; step += 1) {
          expect(first.leads && second.leads, `${mine}, ${theirs}`).toBe(false);
          await pass(100);
        }
        [first.line, second.line] = ["up", "up"];
        await passUntil(() => first.leads || second.leads, mine === "silent" ? 11_000 : 9_000);
        for (let step = 0; step < 200; step += 1) {
          expect(first.leads && second.leads, `${mine}, ${theirs}, healed`).toBe(false);
          await pass(100);
        }
        for (const end of ends.splice(0)) end();
      }
    }
  });
});

describe("a leader", () => {
  it("stops 6 s after it began its last write when it is cut off, and the other takes over no earlier", async () => {
    const { first, second } = await pair();
    await pass(10_000);
    first.line = "down";
    const stopped = await passUntil(() => !first.leads, 6_000);
    expect(stopped).toBeGreaterThanOrEqual(3_900);
    expect(second.leads).toBe(false);
    await passUntil(() => second.leads, 2_000);
  });

  it("stops in time also when its write is never answered", async () => {
    const { first } = await pair();
    await pass(10_000);
    first.line = "silent";
    await passUntil(() => !first.leads, 6_000);
  });

  it("does not stop where each write is answered only after 2.5 s", async () => {
    const { first, second } = await pair();
    first.line = "slow";
    await pass(120_000);
    expect([first.leads, second.leads]).toEqual([true, false]);
    expect([first.terms.length, second.terms.length]).toEqual([1, 0]);
  });

  it("does not stop for an outage shorter than that", async () => {
    const { first, second } = await pair();
    await pass(1_900);
    for (const watcher of [first, second]) watcher.line = "down";
    await pass(2_500);
    for (const watcher of [first, second]) watcher.line = "up";
    await pass(60_000);
    expect([first.terms.length, second.terms.length]).toEqual([1, 0]);
    expect(first.leads).toBe(true);
  });

  it("is there again within half a second of the end of an outage, and only one", async () => {
    const { first, second } = await pair();
    for (const watcher of [first, second]) watcher.line = "down";
    await pass(60_000);
    expect([first.leads, second.leads]).toEqual([false, false]);
    for (const watcher of [first, second]) watcher.line = "up";
    await passUntil(() => first.leads || second.leads, 500);
    await pass(30_000);
    expect([first, second].filter(({ leads }) => leads)).toHaveLength(1);
  });

  it("stops at once when it sees that another is named", async () => {
    const { store, first } = await pair();
    store.edit(kinds.leases, key, { spec: { holderIdentity: "a person" } });
    await pass(0);
    expect(first.leads).toBe(false);
    await pass(6_900);
    expect(holderIn(store)).toBe("a person");
  });

  it("there is again at once, and one, when the Lease is deleted", async () => {
    const { store, first, second } = await pair();
    store.delete(kinds.leases, key);
    await passUntil(() => first.leads || second.leads, 100);
    await pass(30_000);
    expect([first, second].filter(({ leads }) => leads)).toHaveLength(1);
  });

  it("stays one whatever the machines' clocks say", async () => {
    const { first, second } = await pair();
    for (const jump of ["2030-01-01T00:00:00Z", "2001-01-01T00:00:00Z"]) {
      vi.setSystemTime(new Date(jump));
      await pass(30_000);
      expect([first.leads, second.leads]).toEqual([true, false]);
    }
    expect([first.terms.length, second.terms.length]).toEqual([1, 0]);
  });
});

describe("a watcher is settled", () => {
  it("when it leads", async () => {
    const watcher = new Watcher(new MemoryStore());
    await pass(10);
    expect(watcher.isSettled).toBe(true);
  });

  it("when the leader was seen to be alive, and not because somebody is named", async () => {
    const { second } = await pair();
    expect(second.isSettled).toBe(false);
    await pass(2_100);
    expect(second.isSettled).toBe(true);
    const store = new MemoryStore();
    store.seed(kinds.leases, { metadata: key, spec: { holderIdentity: "dead" } });
    const third = new Watcher(store);
    await pass(5_000);
    expect(third.isSettled).toBe(false);
    await pass(2_500);
    expect([third.isSettled, third.leads]).toEqual([true, true]);
  });
});
