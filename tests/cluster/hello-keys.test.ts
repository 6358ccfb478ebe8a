/** The Secret by whose keys announcers know each other. */
import { afterEach, beforeEach, expect, it, test, vi } from "vitest";
import { keepHelloKeys, rotationSeconds } from "../../cluster/hello-keys.ts";
import { kinds } from "../../cluster/kinds.ts";
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

it("a key is 32 bytes of chance, and is replaced after a period while the old one is still known", async () => {
  const store = new MemoryStore();
  const keep = () => keepHelloKeys(store.client(), PERIOD);
  await keep();
  const [[first = "", key = ""] = []] = Object.entries(dataIn(store));
  expect(first).toBe(`key-${String(Date.parse("2026-01-01T12:00:00Z") / 1000)}`);
  expect(Buffer.from(key, "base64")).toHaveLength(32);
  await keep();
  expect(dataIn(store)).toEqual({ [first]: key });
  vi.setSystemTime(Date.now() + PERIOD * 1000);
  await keep();
  const second = Object.keys(dataIn(store)).find((name) => name !== first) ?? "";
  expect(Object.keys(dataIn(store))).toHaveLength(2);
  expect(dataIn(store)[second]).not.toBe(key);
  vi.setSystemTime(Date.now() + PERIOD * 1000);
  await keep();
  expect(Object.keys(dataIn(store))).toHaveLength(2);
  expect(dataIn(store)).not.toHaveProperty(first);
  expect(dataIn(store)).toHaveProperty(second);
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
