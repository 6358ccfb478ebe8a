import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { leaveClaim } from "../../cluster/claim-writes.ts";
import { adoptAddresses, claimAddresses, preview, type ClaimMode } from "../../cluster/claims.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { printAddress } from "../../core/address/address.ts";
import { addressFrom } from "../core/builders.ts";
import { claim, node, pool, service, serviceCIDR } from "../support/builders.ts";
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

const web = { namespace: "default", name: "web" };
const creating: ClaimMode = { isDryRun: false };

/** A store with a pool of four addresses, and the Services' namespace. */
function storeOf(...addresses: readonly string[]): MemoryStore {
  const store = new MemoryStore();
  store.seed(kinds.pools, pool("lan", addresses.length === 0 ? ["10.0.0.1-10.0.0.4"] : addresses));
  return store;
}

/** The addresses, or the kind of the refusal. */
async function claimed(wanted: Service, cluster: Cluster, mode: ClaimMode = creating): Promise<string> {
  const result = await claimAddresses(wanted, cluster, mode);
  return result.ok ? result.value.addresses.map(printAddress).join(",") : result.error.kind;
}

const ownersIn = (store: MemoryStore): readonly string[] =>
  store.all(kinds.claims).map(({ metadata, spec }) => `${metadata?.name ?? ""} ${spec?.parentRef.name ?? ""}`);

/** Runs the call, then loses its answer. */
const losing =
  (verb: string): Hook =>
  async (call, run) => {
    const answer = await run();
    if (call.verb === verb) throw new Error("socket hang up");
    return answer;
  };

it("a request that the API server asks about again, since its write met another, has its addresses in the same order", async () => {
  const store = storeOf("10.0.0.1-10.0.0.4", "fd00::1-fd00::4");
  const cluster = await clusters.start(store);
  const spec = { ipFamilyPolicy: "RequireDualStack", clusterIPs: ["10.96.0.9", "fd96::9"] };
  const wanted = service("default/web", { pin: "fd00::2", spec });
  expect(await claimed(wanted, cluster)).toBe("fd00::2,10.0.0.1");
  expect(await claimed(wanted, cluster)).toBe("fd00::2,10.0.0.1");
});

describe("a claim", () => {
  it("says whose it is, in the API server's own registry", async () => {
    const store = storeOf();
    await claimed(service("default/web"), await clusters.start(store));
    expect(store.get(kinds.claims, { name: "10.0.0.1" })).toMatchObject({
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      metadata: {
        name: "10.0.0.1",
        labels: {
          "ipaddress.kubernetes.io/managed-by": "berth.dev",
          "ipaddress.kubernetes.io/ip-family": "IPv4",
          "berth.dev/pool": "lan",
          "berth.dev/pool-namespace": "network",
        },
      },
      spec: { parentRef: { group: "", resource: "services", namespace: "default", name: "web" } },
    });
  });

  it("goes without the label of a pool whose name no label can hold", async () => {
    const store = new MemoryStore();
    store.seed(kinds.pools, pool(`p${"x".repeat(100)}`, ["10.0.0.1/32"]));
    await claimed(service("default/web"), await clusters.start(store));
    expect(Object.keys(store.all(kinds.claims)[0]?.metadata?.labels ?? {})).not.toContain("berth.dev/pool");
  });

  it("is made for both families of a Service", async () => {
    const store = storeOf("10.0.0.1-10.0.0.4", "fd00::/126");
    store.seed(kinds.serviceCIDRs, serviceCIDR("10.96.0.0/16", "fd00:96::/112"));
    const both = service("default/web", { spec: { ipFamilyPolicy: "RequireDualStack" } });
    expect(await claimed(both, await clusters.start(store))).toBe("10.0.0.1,fd00::");
    expect(ownersIn(store)).toEqual(["10.0.0.1 web", "fd00:: web"]);
  });

  it("is not written in a dry run", async () => {
    const store = storeOf();
    const cluster = await clusters.start(store);
    expect(await claimed(service("default/web"), cluster, { ...creating, isDryRun: true })).toBe("10.0.0.1");
    expect(ownersIn(store)).toEqual([]);
    expect(await claimed(service("default/other"), cluster)).toBe("10.0.0.1");
  });

  it("is kept by a Service that asks again", async () => {
    const store = storeOf();
    const cluster = await clusters.start(store);
    await claimed(service("default/web"), cluster);
    expect(await claimed(service("default/web"), cluster)).toBe("10.0.0.1");
    expect(ownersIn(store)).toEqual(["10.0.0.1 web"]);
  });
});

describe("an address that somebody else has", () => {
  it.each<{ what: string; seed: (store: MemoryStore) => void }>([
    {
      what: "a ClusterIP",
      seed: (store) => {
        store.seed(kinds.claims, claim("10.0.0.1", "default/db", "ipallocator.k8s.io"));
      },
    },
    {
      what: "a claim made by hand",
      seed: (store) => {
        store.seed(kinds.claims, claim("10.0.0.1", "default/db", "somebody"));
      },
    },
    {
      what: "a node",
      seed: (store) => {
        store.seed(kinds.nodes, node("node-1", ["10.0.0.1"]));
      },
    },
    {
      what: "a Service of another class",
      seed: (store) => {
        const spec = { loadBalancerClass: "example.com/other" };
        store.seed(kinds.services, service("default/db", { spec, status: ["10.0.0.1"] }));
      },
    },
    {
      what: "a Service that had it before Berth",
      seed: (store) => {
        store.seed(kinds.services, service("default/db", { status: ["10.0.0.1"] }));
      },
    },
  ])("is not given while it is $what's", async ({ seed }) => {
    const store = storeOf();
    seed(store);
    expect(await claimed(service("default/web"), await clusters.start(store))).toBe("10.0.0.2");
  });

  it("is not given by a process that has not heard of it yet", async () => {
    const store = storeOf();
    const [first, second] = [await clusters.start(store), await clusters.start(store)];
    const answers = await Promise.all([claimed(service("default/web"), first), claimed(service("default/db"), second)]);
    expect(answers.toSorted()).toEqual(["10.0.0.1", "10.0.0.2"]);
  });

  it("is not even tried for by a process that is about to claim it itself", async () => {
    const creates: string[] = [];
    const store = storeOf();
    const cluster = await clusters.start(store, {
      hook: (call, run) => {
        if (call.verb === "create") creates.push(call.key);
        return run();
      },
    });
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => claimed(service(`default/${name}`), cluster)));
    expect(creates).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
  });
});

describe("an answer that is lost", () => {
  it("leaves the address to the Service that it was claimed for", async () => {
    const store = storeOf();
    const lossy = await clusters.start(store, { hook: losing("create") });
    await expect(claimed(service("default/web"), lossy)).rejects.toThrow("socket hang up");
    expect(ownersIn(store)).toEqual(["10.0.0.1 web"]);
    const other = await clusters.start(store);
    expect(await claimed(service("default/db"), other)).toBe("10.0.0.2");
    expect(await claimed(service("default/web"), other)).toBe("10.0.0.1");
  });

  it("keeps no reservation behind when nothing was written", async () => {
    const store = storeOf();
    let isAway = true;
    const cluster = await clusters.start(store, {
      hook: (call, run) => (call.verb === "create" && isAway ? Promise.reject(new Error("ETIMEDOUT")) : run()),
    });
    await expect(claimed(service("default/web"), cluster)).rejects.toThrow("ETIMEDOUT");
    isAway = false;
    expect(await claimed(service("default/db"), cluster)).toBe("10.0.0.1");
  });
});

describe("a Service created again", () => {
  it("takes its claim up anew, so that a release decided before then fails", async () => {
    const store = storeOf();
    const [admission, watcher] = [await clusters.start(store), await clusters.start(store)];
    await claimed(service("default/web"), admission);
    await pass(0);
    const decided = watcher.claims.get({ name: "10.0.0.1" });
    expect(await claimed(service("default/web"), admission)).toBe("10.0.0.1");
    if (decided === undefined) expect.fail("the watcher does not know the claim");
    expect(await leaveClaim(decided, web, watcher)).toBe(false);
    expect(ownersIn(store)).toEqual(["10.0.0.1 web"]);
  });

  it("takes it up anew too where its process had not heard of the claim", async () => {
    const store = storeOf();
    const late = await clusters.start(store, {
      hook: (call, run) => (call.verb === "watch event" ? new Promise(() => undefined) : run()),
    });
    const watcher = await clusters.start(store);
    store.seed(kinds.claims, claim("10.0.0.1", "default/web"));
    await pass(0);
    const decided = watcher.claims.get({ name: "10.0.0.1" });
    expect(await claimed(service("default/web"), late)).toBe("10.0.0.1");
    if (decided === undefined) expect.fail("the watcher does not know the claim");
    expect(await leaveClaim(decided, web, watcher)).toBe(false);
  });

  it("gets another address when the release was first", async () => {
    const store = storeOf();
    const cluster = await clusters.start(store, {
      hook: (call, run) => {
        // Released, and taken by somebody else, just before the claim is taken up.
        if (call.verb === "merge") {
          store.delete(kinds.claims, { name: "10.0.0.1" });
          store.seed(kinds.claims, claim("10.0.0.1", "default/db"));
        }
        return run();
      },
    });
    store.seed(kinds.claims, claim("10.0.0.1", "default/web"));
    await pass(0);
    expect(await claimed(service("default/web"), cluster)).toBe("10.0.0.2");
  });
});

describe("a Service for which another address is claimed than it lists", () => {
  it("goes on with the one that it lists", async () => {
    const store = storeOf();
    const listed = service("default/web", { addresses: "10.0.0.3" });
    store.seed(kinds.services, listed);
    store.seed(kinds.claims, claim("10.0.0.3", "default/web"), claim("10.0.0.1", "default/web"));
    expect(await claimed(listed, await clusters.start(store))).toBe("10.0.0.3");
  });
});

describe("a Service whose claim a process has not heard of", () => {
  it("goes on with the address that it lists, not with the lowest free one", async () => {
    const store = storeOf();
    const late = await clusters.start(store, {
      hook: (call, run) => (call.verb === "watch event" ? new Promise(() => undefined) : run()),
    });
    store.seed(kinds.claims, claim("10.0.0.3", "default/web"));
    expect(await claimed(service("default/web", { addresses: "10.0.0.3" }), late)).toBe("10.0.0.3");
    expect(ownersIn(store)).toEqual(["10.0.0.3 web"]);
  });

  it("gets another where somebody else has come to claim it", async () => {
    const store = storeOf();
    const late = await clusters.start(store, {
      hook: (call, run) => (call.verb === "watch event" ? new Promise(() => undefined) : run()),
    });
    store.seed(kinds.claims, claim("10.0.0.3", "default/db"));
    expect(await claimed(service("default/web", { addresses: "10.0.0.3" }), late)).toBe("10.0.0.1");
  });
});

describe("a pin", () => {
  it("takes over the claim that a deleted Service left behind", async () => {
    const store = storeOf();
    store.seed(kinds.services, service("default/old", { addresses: "10.0.0.2" }));
    store.seed(kinds.claims, claim("10.0.0.2", "default/old"));
    const cluster = await clusters.start(store);
    store.delete(kinds.services, { namespace: "default", name: "old" });
    await pass(0);
    expect(await claimed(service("default/web", { pin: "10.0.0.2" }), cluster)).toBe("10.0.0.2");
    expect(ownersIn(store)).toEqual(["10.0.0.2 web"]);
  });

  it("does not take over the claim of a Service that is just being created", async () => {
    const store = storeOf();
    const cluster = await clusters.start(store);
    await claimed(service("default/new"), cluster);
    expect(await claimed(service("default/web", { pin: "10.0.0.1" }), cluster)).toBe("pinHeld");
    expect(ownersIn(store)).toEqual(["10.0.0.1 new"]);
  });

  it("takes over the claim of a Service that was never stored, once its grace is over", async () => {
    const store = storeOf();
    const cluster = await clusters.start(store);
    await claimed(service("default/new"), cluster);
    await pass(60_000);
    expect(await claimed(service("default/web", { pin: "10.0.0.1" }), cluster)).toBe("10.0.0.1");
  });

  it("takes over nothing in a dry run", async () => {
    const store = storeOf();
    const cluster = await clusters.start(store);
    await claimed(service("default/new"), cluster);
    await pass(60_000);
    const wanted = service("default/web", { pin: "10.0.0.1" });
    expect(await claimed(wanted, cluster, { ...creating, isDryRun: true })).toBe("pinHeld");
    expect(ownersIn(store)).toEqual(["10.0.0.1 new"]);
  });
});

describe("addresses that a Service has already", () => {
  it("are claimed whatever pool they are of", async () => {
    const store = storeOf();
    const cluster = await clusters.start(store);
    await adoptAddresses(service("default/web"), ["172.16.0.9", "10.0.0.3"].map(addressFrom), cluster);
    expect(ownersIn(store)).toEqual(["10.0.0.3 web", "172.16.0.9 web"]);
  });

  it("are left out where somebody else has claimed them", async () => {
    const store = storeOf();
    store.seed(kinds.claims, claim("10.0.0.3", "default/db"));
    const cluster = await clusters.start(store);
    await adoptAddresses(service("default/web"), ["10.0.0.3", "10.0.0.4"].map(addressFrom), cluster);
    expect(ownersIn(store)).toEqual(["10.0.0.3 db", "10.0.0.4 web"]);
  });
});

it("a preview says what would be given and writes nothing", async () => {
  const store = storeOf();
  const cluster = await clusters.start(store);
  const result = preview(service("default/web"), cluster);
  expect(result.ok && result.value).toEqual({ pool: "network/lan", addresses: [addressFrom("10.0.0.1")] });
  expect(store.all(kinds.claims)).toEqual([]);
});
