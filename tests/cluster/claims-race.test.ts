/** What becomes of a claim when another process was first. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimAddresses } from "../../cluster/claims.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { printAddress } from "../../core/address/address.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service, serviceCIDR } from "../support/builders.ts";
import { Clusters } from "../support/clusters.ts";
import { MemoryStore, type Hook } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

const clusters = new Clusters();
beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  clusters.end();
  resumeTime();
});

/** A store with a pool of four addresses, and the Services' namespace. */
function storeOf(...addresses: readonly string[]): MemoryStore {
  const store = new MemoryStore();
  store.seed(kinds.pools, pool("lan", addresses.length === 0 ? ["10.0.0.1-10.0.0.4"] : addresses));
  return store;
}

/** The addresses, or the kind of the refusal. */
async function claimed(wanted: Service, cluster: Cluster): Promise<string> {
  const result = await claimAddresses(wanted, cluster, { isDryRun: false });
  return result.ok ? result.value.addresses.map(printAddress).join(",") : result.error.kind;
}

const ownersIn = (store: MemoryStore): readonly string[] =>
  store.all(kinds.claims).map(({ metadata, spec }) => `${metadata?.name ?? ""} ${spec?.parentRef.name ?? ""}`);

describe("a race for one of two families", () => {
  it("is lost as a whole, so that the other family's address is free again", async () => {
    const store = storeOf("10.0.0.1-10.0.0.2", "fd00::1-fd00::1");
    store.seed(kinds.serviceCIDRs, serviceCIDR("10.96.0.0/16", "fd00:96::/112"));
    const cluster = await clusters.start(store, {
      hook: (call, run) => {
        if (call.verb === "create" && call.key === "fd00::1") {
          if (store.get(kinds.claims, { name: "fd00::1" }) === undefined) {
            store.seed(kinds.claims, claim("fd00::1", "default/db"));
          }
        }
        return run();
      },
    });
    const both = service("default/web", { spec: { ipFamilyPolicy: "RequireDualStack" } });
    expect(await claimed(both, cluster)).toBe("poolsFull");
    expect(ownersIn(store)).toEqual(["fd00::1 db"]);
  });

  it("gives nothing back that another request for the Service has taken up meanwhile", async () => {
    const store = storeOf("10.0.0.1-10.0.0.2", "fd00::1-fd00::1");
    store.seed(kinds.serviceCIDRs, serviceCIDR("10.96.0.0/16", "fd00:96::/112"));
    const other = await clusters.start(store);
    const single = service("default/web", { spec: { ipFamilies: ["IPv4"] } });
    const cluster = await clusters.start(store, {
      hook: async (call, run) => {
        if (call.verb === "create" && call.key === "fd00::1") {
          store.seed(kinds.claims, claim("fd00::1", "default/db"));
          expect(await claimed(single, other)).toBe("10.0.0.1");
          await pass(10);
        }
        return run();
      },
    });
    const both = service("default/web", { spec: { ipFamilyPolicy: "RequireDualStack" } });
    expect(await claimed(both, cluster)).toBe("poolsFull");
    expect(ownersIn(store)).toEqual(["10.0.0.1 web", "fd00::1 db"]);
  });
});

describe("an address that was thought free and that Services of another namespace share", () => {
  it.each([
    { consent: "false", given: "10.0.0.2" },
    { consent: "true", given: "10.0.0.1" },
  ])("is come in on where the pool's consent is $consent: $given", async ({ consent, given }) => {
    const store = new MemoryStore();
    const annotations = { [keys.poolCrossNamespaceSharing]: consent };
    store.seed(kinds.pools, pool("lan", ["10.0.0.1-10.0.0.4"], {}, { annotations }));
    const [first, second] = [await clusters.start(store), await clusters.start(store)];
    const share = { annotations: { [keys.shareNew]: "k" } };
    const db = service("other/db", { ...share, spec: { ports: [{ port: 443 }] } });
    const answers = await Promise.all([claimed(service("default/web", share), first), claimed(db, second)]);
    expect(answers).toEqual(["10.0.0.1", given]);
  });
});

describe("two processes", () => {
  /** Two that hear of each other's claims some milliseconds late, and how often one of them was refused. */
  async function twoOn(
    store: MemoryStore,
  ): Promise<{ readonly pair: readonly Cluster[]; readonly refused: () => number }> {
    const counts = { refused: 0 };
    const hook: Hook = async (call, run) => {
      if (call.verb !== "list") await sleep(call.verb === "watch event" ? 2 : 3);
      return run().catch((error: unknown) => {
        if (call.verb === "create") counts.refused += 1;
        throw error;
      });
    };
    // One that loses on its lane leaves it, the other stays.
    const start = (chance: number): Promise<Cluster> => clusters.start(store, { hook, random: () => chance });
    const starting = Promise.all([start(0), start(1)]);
    await pass(100);
    return { pair: await starting, refused: () => counts.refused };
  }

  /** What so many clients are given who ask the processes in turn, one Service after the other. */
  async function ask(
    pair: readonly Cluster[],
    clients: number,
    each: number,
    name = "web",
  ): Promise<readonly string[]> {
    const given: string[] = [];
    const client = async (number: number): Promise<void> => {
      await sleep(number); // not all at the same moment
      for (let index = 0; index < each; index += 1) {
        const cluster = pair[(number + index) % 2] ?? expect.fail();
        given.push(await claimed(service(`default/${name}-${String(number)}-${String(index)}`), cluster));
        await sleep(15);
      }
    };
    const asking = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
    await pass(60_000);
    await asking;
    return given;
  }

  const placeOf = (text: string): number => Number(text.split(".")[2]) * 256 + Number(text.split(".")[3]);

  it("lose few races to each other while both give many addresses, and leave few out", async () => {
    const { pair, refused } = await twoOn(storeOf("10.0.0.0/16"));
    const places = new Set((await ask(pair, 8, 50)).map(placeOf));
    expect(places.size).toBe(400);
    expect(refused()).toBeLessThan(20);
    expect(Math.max(...places)).toBeLessThan(400 + 32);
    const leftOut = Array.from({ length: 400 + 32 }, (_, place) => place).filter((place) => !places.has(place));
    await pass(1_000);
    expect((await ask(pair, 1, 3, "later")).map(placeOf)).toEqual(leftOut.slice(0, 3));
  });

  it("give the lowest address each time to one who asks them in turn", async () => {
    const { pair } = await twoOn(storeOf("10.0.0.0/16"));
    const given = await ask(pair, 1, 20);
    expect(given).toEqual(Array.from({ length: 20 }, (_, index) => `10.0.0.${String(index)}`));
  });
});
