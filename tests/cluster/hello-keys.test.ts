/** The Secret by whose keys announcers know each other. */
import { afterEach, beforeEach, expect, it, test, vi } from "vitest";
import { keepHelloKeys, rotationSeconds } from "../../cluster/hello-keys.ts";
import { kinds } from "../../cluster/kinds.ts";
import type { HelloKeys } from "../../core/announce/hello-keys.ts";
import { MemoryStore } from "../support/memory-api.ts";
import { pauseTime, resumeTime } from "../support/paused-time.ts";

const DAY = 86_400;
const PERIOD = 30 * DAY;
const secret = { namespace: "metallb-system", name: "announcer-hello" };

beforeEach(() => {
  pauseTime("2026-01-01T12:00:00Z");
});
afterEach(() => {
  resumeTime();
});

const dataIn = (store: MemoryStore) => store.get(kinds.secrets, secret)?.data ?? {};

const namesIn = (store: MemoryStore) => Object.keys(dataIn(store)).toSorted();
const later = (seconds: number): void => {
  vi.setSystemTime(Date.now() + seconds * 1000);
};

it("a key is 32 bytes of chance, and stays while two follow, a period apart", async () => {
  const store = new MemoryStore();
  const keep = () => keepHelloKeys(store.client(), PERIOD);
  await keep();
  const [[first = "", key = ""] = []] = Object.entries(dataIn(store));
  expect(first).toBe(`key-${String(Date.parse("2026-01-01T12:00:00Z") / 1000)}`);
  expect(Buffer.from(key, "base64")).toHaveLength(32);
  await keep();
  expect(dataIn(store)).toEqual({ [first]: key });
  for (const count of [2, 3, 3]) {
    later(PERIOD);
    const before = dataIn(store);
    await keep();
    expect(namesIn(store)).toHaveLength(count);
    const [newest = ""] = namesIn(store).filter((name) => !(name in before));
    expect(Object.values(before)).not.toContain(dataIn(store)[newest]);
  }
  expect(namesIn(store)).not.toContain(first);
});

/** Three keys, of which the newest is a day old, and a watcher that knows them. */
async function threeKeys(): Promise<{ readonly store: MemoryStore; readonly keep: () => Promise<unknown> }> {
  const store = new MemoryStore();
  let known: HelloKeys = {};
  const keep = async () => (known = await keepHelloKeys(store.client(), PERIOD, known));
  for (const pause of [0, PERIOD, PERIOD]) {
    later(pause);
    await keep();
  }
  later(DAY);
  return { store, keep };
}

it("a Secret that somebody deletes comes back with the two newest keys and a new one", async () => {
  const { store, keep } = await threeKeys();
  const before = dataIn(store);
  const [, ...newest] = namesIn(store);
  store.delete(kinds.secrets, secret);
  await keep();
  expect(namesIn(store)).toHaveLength(3);
  expect(dataIn(store)).toMatchObject(Object.fromEntries(newest.map((name) => [name, before[name]])));
  expect(namesIn(store).slice(0, 2)).toEqual(newest);
});

it("a Secret that is deleted again soon comes back as it was, and as often as it is deleted", async () => {
  const { store, keep } = await threeKeys();
  store.delete(kinds.secrets, secret);
  await keep();
  const before = dataIn(store);
  for (let times = 0; times < 3; times++) {
    store.delete(kinds.secrets, secret);
    later(60);
    await keep();
    expect(dataIn(store)).toEqual(before);
  }
});

test.each([
  ["takes out", null],
  ["damages", "c2hvcnQ="],
])("a key that somebody %s is put back as it was", async (_, value) => {
  const { store, keep } = await threeKeys();
  const before = dataIn(store);
  store.edit(kinds.secrets, secret, { data: { [namesIn(store)[1]!]: value } });
  expect(dataIn(store)).not.toEqual(before);
  await keep();
  expect(dataIn(store)).toEqual(before);
});

it("who never saw the keys of a Secret that is gone makes a single one", async () => {
  const { store } = await threeKeys();
  store.delete(kinds.secrets, secret);
  await keepHelloKeys(store.client(), PERIOD);
  expect(namesIn(store)).toHaveLength(1);
});

it("of two watchers that begin at once one makes the key, and the other goes on", async () => {
  const store = new MemoryStore();
  await Promise.all([keepHelloKeys(store.client(), PERIOD), keepHelloKeys(store.client(), PERIOD)]);
  expect(Object.keys(dataIn(store))).toHaveLength(1);
});

it("what somebody else changed meanwhile is not overwritten", async () => {
  const store = new MemoryStore();
  await keepHelloKeys(store.client(), PERIOD);
  vi.setSystemTime(Date.now() + PERIOD * 1000);
  const api = store.client({
    hook: async ({ verb }, run) => {
      if (verb === "merge") store.edit(kinds.secrets, secret, { metadata: { labels: { a: "b" } } });
      return run();
    },
  });
  await keepHelloKeys(api, PERIOD);
  expect(Object.keys(dataIn(store))).toHaveLength(1);
});

test.each([
  [undefined, 30],
  ["7", 7],
  ["0.5", 0.5],
  ["0", 30],
  ["-1", 30],
  ["often", 30],
])("the setting %s means %s days", (text, days) => {
  expect(rotationSeconds(text)).toBe(days * DAY);
});
