import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { renewed, type Data, type Serving } from "../../cluster/certificates.ts";
import { kinds, type Secret } from "../../cluster/kinds.ts";
import { followServing, keepServing, readServing, settleServing } from "../../cluster/serving.ts";
import { MemoryStore } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

const HOST = "pepr-berth.pepr-system.svc";
const DAY = 86_400_000;
const key = { namespace: "pepr-system", name: "berth-webhook" };

const ends: AbortController[] = [];
const signal = (): AbortSignal => {
  const end = new AbortController();
  ends.push(end);
  return end.signal;
};
beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  for (const end of ends.splice(0)) end.abort();
  resumeTime();
});

const encoded = (data: Data): Data =>
  Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString("base64")]));
const secret = (data: Data): Secret => ({ metadata: key, data: encoded(data) });

describe("what the webhooks are served with", () => {
  it("is made once by however many processes begin together, and all of them serve with it", async () => {
    const store = new MemoryStore();
    const all = await Promise.all(Array.from({ length: 4 }, () => settleServing(store.client(), HOST)));
    expect(new Set(all.map(({ certificate }) => certificate)).size).toBe(1);
    expect(await readServing(store.client())).toEqual(all[0]);
  });

  it("stays over a later start", async () => {
    const store = new MemoryStore();
    const first = await settleServing(store.client(), HOST);
    expect(await settleServing(store.client(), HOST)).toEqual(first);
  });

  it("is renewed by the watcher that leads within a minute of being due, and not by one that does not", async () => {
    const store = new MemoryStore();
    // A third of 90 days and the hour that clocks may differ by, before the end.
    const begun = renewed({}, "all", HOST, Date.now() - 60 * DAY + 20 * 60_000 + 30_000);
    store.seed(kinds.secrets, secret(begun));
    await keepServing(store.client(), HOST)(signal());
    await pass(1_000);
    expect((await readServing(store.client()))?.certificate).toBe(begun["tls.crt"]);
    await pass(60_000);
    const { certificate, authorities } = (await readServing(store.client()))!;
    expect(certificate).not.toBe(begun["tls.crt"]);
    expect(authorities).toBe(begun["ca.crt"]);
  });

  it("is handed on to each process within a quarter of a minute of its renewal, also after an API server that was away", async () => {
    const store = new MemoryStore();
    const serving = await settleServing(store.client(), HOST);
    const taken: Serving[] = [];
    let isAway = true;
    const api = store.client({ hook: (_, run) => (isAway ? Promise.reject(new Error("ECONNREFUSED")) : run()) });
    void followServing(api, serving, (next) => taken.push(next), signal());
    await pass(60_000);
    isAway = false;
    await pass(60_000);
    expect(taken).toEqual([]);
    store.edit(kinds.secrets, key, { data: encoded(renewed({}, "all", HOST, Date.now())) });
    await pass(15_000);
    expect(taken).toEqual([await readServing(store.client())]);
    await pass(60_000);
    expect(taken).toHaveLength(1);
  });
});
