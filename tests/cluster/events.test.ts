import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../../cluster/errors.ts";
import { eventsAside } from "../../cluster/events.ts";
import { kinds, type ApiObject } from "../../cluster/kinds.ts";
import { claim } from "../support/builders.ts";
import { MemoryStore, type Hook } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

afterEach(() => {
  resumeTime();
});

const event = (name: string): ApiObject => ({ metadata: { namespace: "default", name } });
const names = (store: MemoryStore): readonly (string | undefined)[] =>
  store.all(kinds.events).map(({ metadata }) => metadata?.name);

/** A hook that holds back Events until it is opened, and says how many it holds. */
function gate(): { hook: Hook; open: () => void; held: () => number } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let held = 0;
  const hook: Hook = async (call, run) => {
    if (call.plural !== "events") return run();
    held += 1;
    await promise;
    return run();
  };
  return {
    hook,
    open: () => {
      resolve(undefined);
    },
    held: () => held,
  };
}

test("nobody waits for an Event; it is written all the same", async () => {
  const store = new MemoryStore();
  const { hook, open } = gate();
  const api = eventsAside(store.client({ hook }));
  await api.create(kinds.events, event("a"));
  await api.create(kinds.claims, claim("10.0.0.1", "default/web"));
  expect(names(store)).toEqual([]);
  open();
  await vi.waitFor(() => {
    expect(names(store)).toEqual(["a"]);
  });
});

test("two Events are written at a time, in the order in which they came", async () => {
  const store = new MemoryStore();
  const { hook, open, held } = gate();
  const api = eventsAside(store.client({ hook }));
  const all = ["a", "b", "c", "d", "e"];
  for (const name of all) await api.create(kinds.events, event(name));
  expect(held()).toBe(2);
  open();
  await vi.waitFor(() => {
    expect(names(store)).toEqual(all);
  });
});

test("an Event that is refused holds up none after it, and is not tried again", async () => {
  const store = new MemoryStore();
  const tried: string[] = [];
  const hook: Hook = (call, run) => {
    tried.push(call.key);
    return call.key === "default/a" ? Promise.reject(new ApiError("create", 422, "Invalid", "no")) : run();
  };
  pauseTime();
  const api = eventsAside(store.client({ hook }));
  for (const name of ["a", "b", "c"]) await api.create(kinds.events, event(name));
  await pass(60_000);
  expect(names(store)).toEqual(["b", "c"]);
  await api.create(kinds.events, event("d"));
  await pass(60_000);
  expect(names(store)).toEqual(["b", "c", "d"]);
  expect(tried).toEqual(["a", "b", "c", "d"].map((name) => `default/${name}`));
});

test.each([
  { why: "was not taken", isTaken: false, error: new ApiError("create", 503, "", "away") },
  { why: "was taken without an answer", isTaken: true, error: new Error("socket hang up") },
])("an Event that $why is tried again, and is there once; those after it do not wait", async ({ isTaken, error }) => {
  const store = new MemoryStore();
  const tried: string[] = [];
  const hook: Hook = async (call, run) => {
    const isFirst = !tried.includes(call.key);
    tried.push(call.key);
    if (call.key !== "default/a" || !isFirst) return run();
    if (isTaken) await run();
    throw error;
  };
  pauseTime();
  const api = eventsAside(store.client({ hook }));
  for (const name of ["a", "b"]) await api.create(kinds.events, event(name));
  await pass(1);
  expect(names(store)).toContain("b");
  await pass(60_000);
  expect(names(store)).toEqual(["a", "b"]);
  expect(tried).toEqual(["a", "b", "a"].map((name) => `default/${name}`));
});

test("an Event that nobody takes is tried for some seconds", async () => {
  const store = new MemoryStore();
  let tries = 0;
  const hook: Hook = () => {
    tries += 1;
    return Promise.reject(new Error("connect ECONNREFUSED"));
  };
  pauseTime();
  await eventsAside(store.client({ hook })).create(kinds.events, event("a"));
  await pass(3_000);
  expect(tries).toBeGreaterThan(4);
  await pass(60_000);
  expect(tries).toBe(8);
});

test("those that are to be tried again count among the 5,000", async () => {
  const store = new MemoryStore();
  let isDown = true;
  const hook: Hook = (_, run) => (isDown ? Promise.reject(new Error("connect ECONNREFUSED")) : run());
  pauseTime();
  const api = eventsAside(store.client({ hook }));
  for (let index = 0; index < 5_100; index += 1) await api.create(kinds.events, event(String(index)));
  isDown = false;
  await pass(60_000);
  expect(names(store)).toHaveLength(5_000);
});

test("5,000 Events may wait, those beyond are dropped", async () => {
  const store = new MemoryStore();
  const { hook, open } = gate();
  const api = eventsAside(store.client({ hook }));
  for (let index = 0; index < 5_100; index += 1) await api.create(kinds.events, event(String(index)));
  open();
  await vi.waitFor(() => {
    expect(names(store)).toHaveLength(5_002); // and the two that are being written
  });
});

test("every other call goes through as it is", async () => {
  const store = new MemoryStore();
  const api = eventsAside(store.client());
  await api.create(kinds.claims, claim("10.0.0.1", "default/web"));
  const key = { name: "10.0.0.1" };
  await api.merge(kinds.claims, key, { metadata: { labels: { a: "b" } } });
  expect((await api.get(kinds.claims, key))?.metadata?.labels?.["a"]).toBe("b");
  expect((await api.list(kinds.claims)).items).toHaveLength(1);
  await api.apply(kinds.claims, claim("10.0.0.2", "default/web"), { fieldManager: "me" });
  await expect(api.remove(kinds.claims, key, { uid: "another" })).rejects.toThrow(/409/);
  const { signal } = new AbortController();
  for await (const { object } of api.watch(kinds.claims, { resourceVersion: "0", signal })) {
    expect(object.metadata?.name).toBe("10.0.0.1");
    break;
  }
});
