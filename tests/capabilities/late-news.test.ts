/** What becomes of a request that an admission pod judges before it has heard of what was stored a moment ago. */
import { describe, expect, it } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, namespace, pool, service } from "../support/builders.ts";
import { LateNews } from "../support/late-news.ts";
import { pass } from "../support/paused-time.ts";
import { annotate, web } from "../support/web.ts";
import { useWorlds, type Seed, type World } from "../support/world.ts";

const worlds = useWorlds();
const lan = pool("lan", ["10.0.0.1-10.0.0.9"]);
const fresh = pool("new", ["10.1.0.1-10.1.0.9"]);
const teamOnly = { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "a" } }] } };
const outside = /^Service "default\/web" asks for 10\.1\.0\.5, which is outside /;

async function openLate(news: LateNews, seed: Seed = { pools: [lan] }): Promise<World> {
  const world = await worlds.open(seed, { hook: news.hook });
  news.isLate = true;
  return world;
}

type Case = {
  readonly what: string;
  readonly seed?: Seed;
  readonly store: (world: World) => Promise<unknown>;
  readonly asks: Service;
  readonly gets: string;
};

const cases: readonly Case[] = [
  {
    what: "a new pool, by an address of it",
    store: (world) => world.create(kinds.pools, fresh),
    asks: service(web, { pin: "10.1.0.5" }),
    gets: "10.1.0.5",
  },
  {
    what: "what a pool was extended by",
    store: (world) =>
      world.change(kinds.pools, "network/lan", { spec: { addresses: ["10.0.0.1-10.0.0.9", "10.1.0.0/24"] } }),
    asks: service(web, { pin: "10.1.0.5" }),
    gets: "10.1.0.5",
  },
  {
    what: "a pool that was deleted and made again under another name",
    seed: { pools: [lan, pool("new", ["10.1.0.1-10.1.0.9"], { serviceAllocation: { namespaces: ["other"] } })] },
    store: async (world) => {
      await world.delete(kinds.pools, "network/new");
      await world.create(kinds.pools, pool("renamed", ["10.1.0.1-10.1.0.9"]));
    },
    asks: service(web, { pin: "10.1.0.5" }),
    gets: "10.1.0.5",
  },
  {
    what: "a pool for labels that its namespace has just come with",
    seed: { pools: [pool("lan", ["10.0.0.1-10.0.0.9"], teamOnly)] },
    store: (world) => world.create(kinds.namespaces, namespace("default", { team: "a" })),
    asks: service(web, { annotations: { [keys.poolNew]: "lan" } }),
    gets: "10.0.0.1",
  },
  {
    what: "a new pool for labels of a new namespace",
    store: async (world) => {
      await world.create(kinds.namespaces, namespace("default", { team: "a" }));
      await world.create(kinds.pools, pool("new", ["10.1.0.1-10.1.0.9"], teamOnly));
    },
    asks: service(web, { pin: "10.1.0.5" }),
    gets: "10.1.0.5",
  },
];

describe("a Service that asks for what was stored a moment ago", () => {
  it.each(cases)("gets it in the answer: $what", async ({ seed, store, asks, gets }) => {
    const world = await openLate(new LateNews(), seed);
    await store(world);
    const { denied, stored, warnings } = await world.create(kinds.services, asks);
    expect(denied).toBeUndefined();
    expect(stored?.metadata?.annotations?.[keys.addresses]).toBe(gets);
    expect(warnings.filter((warning) => !warning.includes("deprecates"))).toEqual([]);
  });

  it.each(["admission-0", "admission-1"])("gets it where %s alone is late", async (process) => {
    const world = await openLate(new LateNews([], process));
    await world.create(kinds.pools, fresh);
    const { denied } = await world.create(kinds.services, service(web, { pin: "10.1.0.5" }));
    expect([denied, world.annotationOf(web)]).toEqual([undefined, "10.1.0.5"]);
  });

  it("is previewed with it in a dry run", async () => {
    const world = await openLate(new LateNews());
    await world.create(kinds.pools, fresh);
    const object = service(web, { pin: "10.1.0.5" });
    const request = { operation: "CREATE", plural: "services", object, oldObject: undefined, user: "someone" } as const;
    const { denied, object: seen } = await world.admit({ ...request, isDryRun: true });
    expect([denied, seen.metadata?.annotations?.[keys.addresses]]).toEqual([undefined, "10.1.0.5"]);
    expect(world.claims()).toEqual([]);
  });

  it("gets it by a change, too", async () => {
    const news = new LateNews();
    const world = await worlds.open({ pools: [lan] }, { hook: news.hook });
    await world.create(kinds.services, service(web));
    news.isLate = true;
    await world.create(kinds.pools, fresh);
    const { denied } = await world.change(kinds.services, web, annotate({ [keys.pinNew]: "10.1.0.5" }));
    expect([denied, world.annotationOf(web)]).toEqual([undefined, "10.1.0.5"]);
  });
});

describe("the API server", () => {
  it("is asked nothing by a request that is admitted, with or without an address", async () => {
    const news = new LateNews(["ipaddresspools"]);
    const world = await openLate(news);
    expect((await world.create(kinds.services, service(web))).denied).toBeUndefined();
    const waiting = service("default/waiting", { annotations: { [keys.poolNew]: "none" } });
    expect((await world.create(kinds.services, waiting)).warnings).toHaveLength(1);
    expect(news.asked).toEqual([]);
  });

  it("is asked nothing by one that is wrong by itself", async () => {
    const news = new LateNews();
    const world = await openLate(news);
    expect((await world.create(kinds.services, service(web, { pin: "10.0.0" }))).denied).toMatch(/no IP address/);
    expect(news.asked).toEqual([]);
  });

  it("is asked once each by Mutate and Validate of one that is denied", async () => {
    const news = new LateNews();
    const world = await openLate(news);
    expect((await world.create(kinds.services, service(web, { pin: "10.1.0.5" }))).denied).toMatch(outside);
    const lists = ["ipaddresspools", "namespaces", "servicecidrs"];
    const both = ["admission-0", "admission-1"].flatMap((process) =>
      lists.map((plural) => `${process} list ${plural}`),
    );
    expect(news.asked.toSorted()).toEqual(both);
  });

  it("is asked one at a time, however many are denied at once", async () => {
    const news = new LateNews();
    const world = await openLate(news);
    const names = Array.from({ length: 40 }, (_, index) => `default/web-${String(index)}`);
    const all = await Promise.all(names.map((key) => world.create(kinds.services, service(key, { pin: "10.1.0.5" }))));
    expect(all.filter(({ denied }) => denied !== undefined)).toHaveLength(40);
    // A pod's first request, those that came meanwhile, and the same for their Validate.
    expect(news.asked.filter((call) => call === "admission-0 list ipaddresspools").length).toBeLessThan(6);
  });

  it("is not to be reached: the denial stands", async () => {
    const news = new LateNews();
    const world = await openLate(news);
    await world.create(kinds.pools, fresh);
    news.isDeaf = true;
    const { denied } = await world.create(kinds.services, service(web, { pin: "10.1.0.5" }));
    expect(denied).toMatch(outside);
    expect(world.claims()).toEqual([]);
  });
});

describe("an address that somebody had until a moment ago is given to a Service that asks for it", () => {
  it.each<{ how: string; leave: (world: World) => Promise<unknown> }>([
    { how: "deleted", leave: (world) => world.delete(kinds.services, "default/before") },
    {
      how: "moved to another",
      leave: (world) => world.change(kinds.services, "default/before", annotate({ [keys.pinNew]: "10.0.0.6" })),
    },
    {
      how: "no LoadBalancer any more",
      leave: (world) => world.change(kinds.services, "default/before", { spec: { type: "ClusterIP" } }),
    },
  ])("$how", async ({ leave }) => {
    const news = new LateNews();
    const world = await worlds.open({ pools: [lan] }, { hook: news.hook });
    await world.create(kinds.services, service("default/before", { annotations: { [keys.pinNew]: "10.0.0.5" } }));
    await pass(5_000);
    news.isLate = true;
    await leave(world);
    await pass(50); // the watcher, which has heard of it, writes the status
    const { denied } = await world.create(kinds.services, service(web, { pin: "10.0.0.5" }));
    expect([denied, world.annotationOf(web)]).toEqual([undefined, "10.0.0.5"]);
  });

  it("its claim deleted by hand", async () => {
    const news = new LateNews();
    const world = await worlds.open({ pools: [lan], claims: [claim("10.0.0.5", "someone/else", "someone")] }, news);
    news.isLate = true;
    await world.delete(kinds.claims, "10.0.0.5");
    const { denied } = await world.create(kinds.services, service(web, { pin: "10.0.0.5" }));
    expect([denied, world.annotationOf(web)]).toEqual([undefined, "10.0.0.5"]);
  });

  it("not where it has come to be another's", async () => {
    const news = new LateNews();
    const world = await worlds.open({ pools: [lan] }, news);
    await world.create(kinds.services, service("default/before", { annotations: { [keys.pinNew]: "10.0.0.5" } }));
    await pass(5_000);
    news.isLate = true;
    await world.delete(kinds.services, "default/before");
    await world.create(kinds.services, service("default/next", { annotations: { [keys.pinNew]: "10.0.0.5" } }));
    const { denied } = await world.create(kinds.services, service(web, { pin: "10.0.0.5" }));
    expect(denied).toMatch(/^Service "default\/web" asks for 10\.0\.0\.5, which Service "default\/next" holds/);
  });
});

describe("a pool of which a Service was given an address a moment ago", () => {
  const takes: readonly { how: string; take: (world: World) => Promise<{ readonly denied?: string }> }[] = [
    { how: "be deleted", take: (world) => world.delete(kinds.pools, "network/lan") },
    {
      how: "lose the address",
      take: (world) => world.change(kinds.pools, "network/lan", { spec: { addresses: ["10.0.0.5-10.0.0.9"] } }),
    },
    {
      how: "stop serving it",
      take: (world) =>
        world.change(kinds.pools, "network/lan", { spec: { serviceAllocation: { namespaces: ["other"] } } }),
    },
  ];
  const inUse = /^IPAddressPool "network\/lan" would lose 10\.0\.0\.1 \(Service "default\/web"\), which is in use;/;

  it.each(takes)("may not $how", async ({ take }) => {
    const world = await openLate(new LateNews(["services"]));
    await world.create(kinds.services, service(web));
    expect((await take(world)).denied).toMatch(inUse);
  });

  it.each(takes)("may not $how where the pod has not heard of the claim either", async ({ take }) => {
    const news = new LateNews();
    // With three of them, it is the turn of one that has had no part in the Service.
    const world = await worlds.open({ pools: [lan] }, { admission: 3, hook: news.hook });
    news.isLate = true;
    await world.create(kinds.services, service(web));
    expect((await take(world)).denied).toMatch(inUse);
  });

  it.each(takes)("may not $how where the Service came to be a LoadBalancer only then", async ({ take }) => {
    const news = new LateNews(["services"]);
    const world = await worlds.open({ pools: [lan], services: [service(web, { spec: { type: "ClusterIP" } })] }, news);
    news.isLate = true;
    await world.change(kinds.services, web, { spec: { type: "LoadBalancer" } });
    expect((await take(world)).denied).toMatch(inUse);
  });

  it.each(takes)("may $how once the Service is gone, although its claim is not", async ({ take }) => {
    const news = new LateNews(["services"]);
    const world = await openLate(news);
    await world.create(kinds.services, service(web));
    await world.delete(kinds.services, web);
    expect(world.claims()).toHaveLength(1);
    expect((await take(world)).denied).toBeUndefined();
  });

  it("is not changed where that can't be asked, but for what changes nothing", async () => {
    const news = new LateNews(["services"]);
    const world = await openLate(news);
    await world.create(kinds.services, service(web));
    news.isDeaf = true;
    for (const { take } of takes) expect((await take(world)).denied).toMatch(/could not be checked; try again/);
    const labelled = await world.change(kinds.pools, "network/lan", { metadata: { labels: { a: "b" } } });
    expect(labelled.denied).toBeUndefined();
  });
});
