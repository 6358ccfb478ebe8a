import { afterEach, beforeEach, expect, it } from "vitest";
import { Cache } from "../../cluster/cache.ts";
import { ApiError } from "../../cluster/errors.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { reflect } from "../../cluster/reflector.ts";
import { pool, service } from "../support/builders.ts";
import { MemoryStore, type Hook, type MemoryCall } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

const ends: AbortController[] = [];
beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  for (const end of ends.splice(0)) end.abort();
  resumeTime();
});

/** A cache of all Services of a store, what was heard of it, and the calls that keep it in line. */
function reflected(store: MemoryStore, { namespace, hook }: { namespace?: string; hook?: Hook } = {}) {
  const cache = new Cache<Service>();
  const calls: string[] = [];
  const heard: string[] = [];
  cache.subscribe(({ key, after }) => heard.push(`${after === undefined ? "-" : "+"}${key.name}`));
  const end = new AbortController();
  ends.push(end);
  const noting = <T>(call: MemoryCall, run: () => Promise<T>): Promise<T> => {
    if (call.verb !== "watch event") calls.push(call.verb);
    return hook === undefined ? run() : hook(call, run);
  };
  const done = reflect(store.client({ hook: noting }), kinds.services, { cache, namespace, signal: end.signal });
  const names = (): readonly string[] => [...cache.values()].map(({ metadata }) => metadata?.name ?? "").toSorted();
  return { cache, calls, heard, names, end, done };
}

const web = service("default/web");
const dns = service("default/dns");

it("holds what is stored and what comes, changes and goes", async () => {
  const store = new MemoryStore();
  store.seed(kinds.services, web);
  const { names, heard } = reflected(store);
  await pass(0);
  expect(names()).toEqual(["web"]);
  store.seed(kinds.services, dns);
  store.edit(kinds.services, { namespace: "default", name: "web" }, { metadata: { labels: { a: "b" } } });
  store.delete(kinds.services, { namespace: "default", name: "dns" });
  await pass(0);
  expect(heard).toEqual(["+web", "+dns", "+web", "-dns"]);
});

it("holds only what is in its namespace", async () => {
  const store = new MemoryStore();
  store.seed(kinds.services, web, service("other/a"));
  const { names } = reflected(store, { namespace: "other" });
  await pass(0);
  store.seed(kinds.services, dns, service("other/b"));
  await pass(0);
  expect(names()).toEqual(["a", "b"]);
});

it("goes on where it was when the API server ends the watch", async () => {
  const store = new MemoryStore();
  const { calls, heard } = reflected(store);
  await pass(0);
  store.seed(kinds.services, web);
  await pass(0);
  store.endWatches();
  store.seed(kinds.services, dns);
  await pass(0);
  expect(calls).toEqual(["list", "watch"]); // it asks again after a pause, lest a server that ends them all is flooded
  await pass(100);
  expect(heard).toEqual(["+web", "+dns"]);
  expect(calls).toEqual(["list", "watch", "watch"]);
});

it("goes on where it was when the connection breaks, so that nothing old is heard again", async () => {
  const store = new MemoryStore();
  const { calls, heard } = reflected(store);
  await pass(0);
  store.seed(kinds.services, web);
  store.delete(kinds.services, { namespace: "default", name: "web" });
  await pass(0);
  store.breakWatches();
  store.seed(kinds.services, dns);
  await pass(100);
  expect(heard).toEqual(["+web", "-web", "+dns"]);
  expect(calls).toEqual(["list", "watch", "watch"]);
});

it("goes on from a bookmark, so that a quiet kind is not too old after a while", async () => {
  const store = new MemoryStore();
  const { calls, names } = reflected(store);
  await pass(0);
  store.seed(kinds.pools, pool("homelab-pool", ["192.168.1.200/32"]));
  store.bookmark(kinds.services);
  await pass(0);
  store.compact();
  store.breakWatches();
  store.seed(kinds.services, web);
  await pass(100);
  expect(names()).toEqual(["web"]);
  expect(calls).toEqual(["list", "watch", "watch"]);
});

it("lists again when the revision is too old, and drops what has gone meanwhile", async () => {
  const store = new MemoryStore();
  store.seed(kinds.services, web);
  const { calls, names } = reflected(store, {
    hook: async (call, run) => {
      if (call.verb === "watch" && calls.length === 4) store.compact();
      return run();
    },
  });
  await pass(0);
  store.breakWatches();
  store.delete(kinds.services, { namespace: "default", name: "web" });
  store.seed(kinds.services, dns);
  store.compact();
  await pass(200);
  expect(names()).toEqual(["dns"]);
  expect(calls.slice(0, 5)).toEqual(["list", "watch", "watch", "list", "watch"]);
});

it("tries again while the API server is away", async () => {
  const store = new MemoryStore();
  store.seed(kinds.services, web);
  let isAway = true;
  const { names } = reflected(store, {
    hook: (_, run) => (isAway ? Promise.reject(new Error("connect ECONNREFUSED")) : run()),
  });
  await pass(20_000);
  expect(names()).toEqual([]);
  isAway = false;
  await pass(5_000);
  expect(names()).toEqual(["web"]);
});

it("holds what is stored within half a second of the end of an outage, also when its revision is too old by then", async () => {
  const store = new MemoryStore();
  store.seed(kinds.services, web);
  let isAway = false;
  const { names, calls } = reflected(store, {
    hook: (_, run) => (isAway ? Promise.reject(new Error("connect ECONNREFUSED")) : run()),
  });
  await pass(0);
  isAway = true;
  store.breakWatches();
  await pass(20_000);
  expect(calls.length).toBeLessThan(2 + 20_000 / 200);
  store.seed(kinds.services, dns);
  store.compact();
  isAway = false;
  await pass(500);
  expect(names()).toEqual(["dns", "web"]);
});

it("asks ever less often where it is answered with a refusal", async () => {
  const { calls } = reflected(new MemoryStore(), {
    hook: () => Promise.reject(new ApiError("list services", 403, "Forbidden", "no")),
  });
  await pass(60_000);
  expect(calls.length).toBeLessThan(40);
});

it("does not wait long for the second refusal after an outage, as while rights are being read", async () => {
  const store = new MemoryStore();
  store.seed(kinds.services, web);
  let answer: "none" | "refusal" | "list" = "none";
  const { names } = reflected(store, {
    hook: (_, run) => {
      if (answer === "list") return run();
      return Promise.reject(
        answer === "none" ? new Error("connect ECONNREFUSED") : new ApiError("list services", 403, "Forbidden", "no"),
      );
    },
  });
  await pass(60_000);
  answer = "refusal";
  await pass(1_000);
  answer = "list";
  await pass(1_500);
  expect(names()).toEqual(["web"]);
});

it("starts again within 50 ms of a break, however many there have been since it began", async () => {
  const store = new MemoryStore();
  const { names } = reflected(store);
  await pass(0);
  for (const index of [1, 2, 3, 4, 5, 6, 7, 8]) {
    store.seed(kinds.services, service(`default/web-${String(index)}`));
    await pass(60_000);
    store.breakWatches();
    await pass(51);
  }
  store.seed(kinds.services, web);
  await pass(0);
  expect(names()).toHaveLength(9);
});

it("ends with its signal", async () => {
  const store = new MemoryStore();
  const { end, done, names } = reflected(store);
  await pass(0);
  end.abort();
  await done;
  store.seed(kinds.services, web);
  await pass(1_000);
  expect(names()).toEqual([]);
});
