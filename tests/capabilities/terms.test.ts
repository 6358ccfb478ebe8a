/** A watcher that leads, then another one, then the first one again: it may know what has long been otherwise. */
import { expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pass } from "../support/paused-time.ts";
import { processOver, useWorlds } from "../support/world.ts";
import { report, seed } from "./announcing.ts";

const worlds = useWorlds();

it("a watcher that leads again says nothing of what was announced in its term before", async () => {
  const world = await worlds.open(seed);
  world.endWatcher();
  const end = new AbortController();
  const first = processOver(world.store.client());
  await first.cluster.start("watcher", end.signal);
  const lead = async (): Promise<AbortController> => {
    const term = new AbortController();
    for (const part of first.parts) await part.lead(term.signal);
    return term;
  };
  const term = await lead();
  report(world, "node-1", "10.0.0.1");
  await pass(2_000);
  const said = () =>
    world.store
      .get(kinds.services, { namespace: "default", name: "web" })
      ?.status?.conditions?.find(({ type }) => type === keys.announced)?.message;
  expect(said()).toContain("node-1");
  term.abort();
  const second = new AbortController();
  await world.startWatcher(second.signal);
  report(world, "node-1");
  report(world, "node-2", "10.0.0.1");
  await pass(2_000);
  expect(said()).toContain("node-2");
  second.abort();
  const messages = new Set<string | undefined>();
  first.cluster.services.subscribe(() => messages.add(said()), end.signal);
  await lead();
  await pass(2_000);
  end.abort();
  expect([...messages].filter((message) => message?.includes("node-1"))).toEqual([]);
});
