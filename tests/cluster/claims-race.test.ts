/** What becomes of a claim when another process was first. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimAddresses } from "../../cluster/claims.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { printAddress } from "../../core/address/address.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service, serviceCIDR } from "../support/builders.ts";
import { Clusters } from "../support/clusters.ts";
import { MemoryStore } from "../support/memory-api.ts";
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
