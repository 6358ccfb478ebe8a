import { describe, expect, it, test } from "vitest";
import { Cache, compareRevisions } from "../../cluster/cache.ts";
import type { Service } from "../../cluster/kinds.ts";
import { service } from "../support/builders.ts";

const web = (resourceVersion: string): Service => service("default/web", { metadata: { resourceVersion } });
const revisionIn = (cache: Cache<Service>): string | undefined =>
  cache.get({ namespace: "default", name: "web" })?.metadata?.resourceVersion;

test.each([
  ["9", "10", -1],
  ["10", "9", 1],
  ["123", "123", 0],
  ["18446744073709551616", "18446744073709551615", 1],
])("revision %s against %s compares as numbers do", (left, right, sign) => {
  expect(Math.sign(compareRevisions(left, right))).toBe(sign);
});

describe("what a write returned", () => {
  it("is there before the watch brings it", () => {
    const cache = new Cache<Service>();
    cache.replace([], "5");
    cache.accept(web("7"));
    expect(revisionIn(cache)).toBe("7");
  });

  it.each<{ rule: string; bring: (cache: Cache<Service>) => void; left: string | undefined }>([
    {
      rule: "does not replace what the watch has brought since",
      bring: (cache) => {
        cache.put(web("9"));
      },
      left: "9",
    },
    {
      rule: "does not bring back what the watch has seen deleted since",
      bring: (cache) => {
        cache.put(web("6"));
        cache.drop(web("8"));
      },
      left: undefined,
    },
    {
      rule: "does not bring back what a later list lacks",
      bring: (cache) => {
        cache.replace([], "8");
      },
      left: undefined,
    },
    {
      rule: "is not news where a bookmark has passed it",
      bring: (cache) => {
        cache.advance("7");
      },
      left: undefined,
    },
  ])("$rule", ({ bring, left }) => {
    const cache = new Cache<Service>();
    bring(cache);
    cache.accept(web("7"));
    expect(revisionIn(cache)).toBe(left);
  });

  it("stays when the watch brings an older form of it", () => {
    const cache = new Cache<Service>();
    cache.accept(web("7"));
    cache.put(web("6"));
    expect(revisionIn(cache)).toBe("7");
  });

  it("stays when a list from before it lacks it", () => {
    const cache = new Cache<Service>();
    cache.accept(web("7"));
    cache.replace([], "6");
    expect(revisionIn(cache)).toBe("7");
  });

  it("stays when the watch brings the deletion of an earlier object of its name", () => {
    const cache = new Cache<Service>();
    cache.accept(web("7"));
    cache.drop(web("6"));
    expect(revisionIn(cache)).toBe("7");
  });
});

describe("a list that is read beside the watch", () => {
  it("brings what is new and takes what is gone", () => {
    const cache = new Cache<Service>();
    const db = service("default/db", { metadata: { resourceVersion: "4" } });
    cache.replace([db], "5");
    cache.catchUp({ items: [web("7")], resourceVersion: "8" });
    expect([...cache.values()]).toEqual([web("7")]);
  });

  it("does not bring back what the watch has seen deleted since", () => {
    const cache = new Cache<Service>();
    cache.drop(web("9"));
    cache.catchUp({ items: [web("7")], resourceVersion: "8" });
    expect(cache.size).toBe(0);
  });

  it("leaves what is newer", () => {
    const cache = new Cache<Service>();
    cache.put(web("9"));
    cache.catchUp({ items: [], resourceVersion: "8" });
    expect(revisionIn(cache)).toBe("9");
  });

  it("does not hold up what the watch brings from before it", () => {
    const cache = new Cache<Service>();
    cache.catchUp({ items: [web("7")], resourceVersion: "8" });
    cache.put(web("6"));
    cache.put(service("default/db", { metadata: { resourceVersion: "8" } }));
    expect([cache.size, revisionIn(cache)]).toEqual([2, "7"]);
  });
});

describe("a listener", () => {
  const heard = (act: (cache: Cache<Service>) => void): readonly string[] => {
    const cache = new Cache<Service>();
    const changes: string[] = [];
    cache.subscribe(({ before, after, resourceVersion }) => {
      changes.push(
        `${before?.metadata?.resourceVersion ?? "-"}>${after?.metadata?.resourceVersion ?? "-"}@${resourceVersion}`,
      );
    });
    act(cache);
    return changes;
  };

  it("hears each change once, whoever brings it first", () => {
    expect(
      heard((cache) => {
        cache.accept(web("7"));
        cache.put(web("7"));
        cache.put(web("8"));
        cache.drop(web("9"));
        cache.drop(web("9"));
      }),
    ).toEqual(["->7@7", "7>8@8", "8>-@9"]);
  });

  it("hears nothing after its signal, and others do", () => {
    const cache = new Cache<Service>();
    const end = new AbortController();
    const changes: string[] = [];
    for (const [name, signal] of [
      ["a", end.signal],
      ["b", undefined],
      ["c", AbortSignal.abort()],
    ] as const) {
      cache.subscribe(({ resourceVersion }) => changes.push(`${name}${resourceVersion}`), signal);
    }
    cache.put(web("7"));
    end.abort();
    cache.put(web("8"));
    expect(changes).toEqual(["a7", "b7", "b8"]);
  });

  it("hears no revision for what a list shows to be gone", () => {
    expect(
      heard((cache) => {
        cache.put(web("7"));
        cache.replace([], "20");
      }),
    ).toEqual(["->7@7", "7>-@"]);
  });
});

it("is synced by its first list and not before", async () => {
  const cache = new Cache<Service>();
  let isSynced = false;
  void cache.synced.then(() => (isSynced = true));
  cache.put(web("1"));
  await Promise.resolve();
  expect(isSynced).toBe(false);
  cache.replace([], "2");
  await cache.synced;
  expect(isSynced).toBe(true);
});
