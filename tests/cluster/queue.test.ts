import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { backoffMillis, Queue, type Again } from "../../cluster/queue.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  resumeTime();
});

/** A queue that notes when each run begins, in milliseconds from now; `work` does the rest. */
function queueOf(work: (key: string) => Promise<Again> = () => Promise.resolve(undefined), workers = 1) {
  const start = performance.now();
  const runs: string[] = [];
  const queue = new Queue({
    name: "test",
    workers,
    run: (key) => {
      runs.push(`${key} ${String(Math.round(performance.now() - start))}`);
      return work(key);
    },
  });
  return { queue, runs };
}

/** The signal of a queue that is never stopped. */
const forever = new AbortController().signal;

/** Work that takes that long. */
const lasting = (millis: number) => (): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(resolve, millis, undefined);
  });

describe("a key", () => {
  it("is not taken before the queue is started", async () => {
    const { queue, runs } = queueOf();
    queue.add("a");
    queue.add("b", 10);
    expect(queue.length).toBe(0);
    queue.start(forever);
    await pass(1_000);
    expect(runs).toEqual([]);
  });

  it("that comes again while it waits is run once", async () => {
    const { queue, runs } = queueOf(lasting(10));
    queue.start(forever);
    queue.add("a");
    for (const key of ["b", "b", "b"]) queue.add(key);
    await pass(100);
    expect(runs).toEqual(["a 0", "b 10"]);
  });

  it("that comes again while it runs is run once more afterwards, never twice at a time", async () => {
    const { queue, runs } = queueOf(lasting(10), 4);
    queue.start(forever);
    for (const key of ["a", "a", "a"]) queue.add(key);
    await pass(5);
    queue.add("a");
    await pass(100);
    expect(runs).toEqual(["a 0", "a 10"]);
  });

  it("does not wait behind one that runs long", async () => {
    const { queue, runs } = queueOf((key) => (key === "slow" ? lasting(500)() : Promise.resolve(undefined)), 2);
    queue.start(forever);
    for (const key of ["slow", "a", "b"]) queue.add(key);
    await pass(1);
    expect(runs).toEqual(["slow 0", "a 0", "b 0"]);
  });

  it("is run as soon as a worker is free, in the order of arrival", async () => {
    const { queue, runs } = queueOf(lasting(10), 2);
    queue.start(forever);
    for (const key of ["a", "b", "c", "d", "e"]) queue.add(key);
    expect(queue.length).toBe(5);
    await pass(100);
    expect(runs).toEqual(["a 0", "b 0", "c 10", "d 10", "e 20"]);
    expect(queue.length).toBe(0);
  });
});

describe("a pause", () => {
  it("is waited for", async () => {
    const { queue, runs } = queueOf();
    queue.start(forever);
    queue.add("a", 20);
    await pass(100);
    expect(runs).toEqual(["a 20"]);
  });

  it("is not begun anew by the same key", async () => {
    const { queue, runs } = queueOf();
    queue.start(forever);
    queue.add("a", 20);
    await pass(15);
    queue.add("a", 20);
    await pass(100);
    expect(runs).toEqual(["a 20"]);
  });

  it("is cut short by a key that comes without one", async () => {
    const { queue, runs } = queueOf();
    queue.start(forever);
    queue.add("a", 20);
    await pass(5);
    queue.add("a");
    await pass(100);
    expect(runs).toEqual(["a 5"]);
  });

  it("is cut short by a shorter one", async () => {
    const { queue, runs } = queueOf();
    queue.start(forever);
    queue.add("a", 60_000);
    queue.add("a", 20);
    await pass(100);
    expect(runs).toEqual(["a 20"]);
  });

  it("is what the work asks for", async () => {
    const agains: Again[] = [2_000, 0, undefined];
    const { queue, runs } = queueOf(() => Promise.resolve(agains.shift()));
    queue.start(forever);
    queue.add("a");
    await pass(10_000);
    expect(runs).toEqual(["a 0", "a 2000", "a 2001"]);
  });
});

describe("a queue that is stopped", () => {
  it("forgets the keys that wait, those with a pause and those to be tried again", async () => {
    const { queue, runs } = queueOf((key) => (key === "bad" ? Promise.reject(new Error("no")) : lasting(10)()));
    const end = new AbortController();
    queue.start(end.signal);
    for (const key of ["bad", "a", "b"]) queue.add(key);
    queue.add("later", 20);
    await pass(1);
    end.abort();
    await pass(60_000);
    expect(runs).toEqual(["bad 0", "a 0"]);
    expect(queue.length).toBe(0);
  });

  it("takes no key, and looks at none again that its running work asks for", async () => {
    const { queue, runs } = queueOf(async () => {
      await lasting(10)();
      return 5;
    });
    const end = new AbortController();
    queue.start(end.signal);
    queue.add("a");
    end.abort();
    queue.add("b");
    await pass(60_000);
    expect(runs).toEqual(["a 0"]);
  });

  it("works again when it is started anew, no key twice at a time", async () => {
    const { queue, runs } = queueOf(lasting(10));
    const end = new AbortController();
    queue.start(end.signal);
    queue.add("a");
    end.abort();
    await pass(5);
    queue.start(forever);
    queue.add("a");
    await pass(100);
    expect(runs).toEqual(["a 0", "a 10"]);
  });

  it("is not started by a signal that has come already", async () => {
    const { queue, runs } = queueOf();
    queue.start(AbortSignal.abort());
    queue.add("a");
    await pass(100);
    expect(runs).toEqual([]);
  });
});

describe("work that fails", () => {
  it("is tried again with growing pauses until it succeeds", async () => {
    let failures = 0;
    const { queue, runs } = queueOf(() => {
      failures += 1;
      return failures <= 10 ? Promise.reject(new Error("no")) : Promise.resolve(undefined);
    });
    queue.start(forever);
    queue.add("a");
    await pass(60_000);
    expect(runs).toHaveLength(11);
    const times = runs.map((run) => Number(run.split(" ")[1]));
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const [index, pause] of pauses.entries()) {
      const longest = Math.min(5_000, 50 * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(longest / 2 - 1);
      expect(pause).toBeLessThanOrEqual(longest + 1);
    }
  });

  it("begins with a short pause again after a success", async () => {
    const results = ["no", "no", "no", "yes", "no", "yes"];
    const { queue, runs } = queueOf(() =>
      results.shift() === "no" ? Promise.reject(new Error("no")) : Promise.resolve(undefined),
    );
    queue.start(forever);
    queue.add("a");
    await pass(10_000);
    queue.add("a");
    await pass(51);
    expect(runs).toHaveLength(6);
  });

  it("holds up no other key", async () => {
    const { queue, runs } = queueOf((key) =>
      key === "bad" ? Promise.reject(new Error("no")) : Promise.resolve(undefined),
    );
    queue.start(forever);
    for (const key of ["bad", "a"]) queue.add(key);
    await pass(1);
    expect(runs).toEqual(["bad 0", "a 0"]);
  });
});

test.each([
  [0, 0, 25],
  [0, 1, 50],
  [1, 1, 100],
  [7, 1, 5_000],
  [1_000, 1, 5_000],
])("after %i failures, chance %d pauses %d ms", (failures, chance, millis) => {
  expect(backoffMillis(failures, () => chance)).toBe(millis);
});
