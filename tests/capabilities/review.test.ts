/** What a person is told when a Service cannot be served as it asks: the table of the design, sentence by sentence. */
import { describe, expect, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, node, pool, service, type ServiceParts } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const homelab = pool("homelab-pool", ["192.168.1.200-192.168.1.220"]);
const open = (seed: Seed = { pools: [homelab] }) => worlds.open(seed);

const one = pool("one", ["10.0.0.1/32"]);
const named = (name: string): ServiceParts => ({ annotations: { [keys.poolNew]: name } });
const forPlatform = pool("dmz", ["10.0.0.100-10.0.0.109"], { serviceAllocation: { namespaces: ["platform"] } });
const forWeb = pool("dmz", ["10.0.0.100-10.0.0.109"], {
  serviceAllocation: { serviceSelectors: [{ matchLabels: { app: "web" } }] },
});
const free = "ask for a free one such as 192.168.1.200, or remove the annotation to be given one";
const old = `asks in ${keys.pinOld} for`;

describe("a request that cannot be served as it asks is denied in one sentence", () => {
  test.each<{ case: string; parts: ServiceParts; seed?: Seed; says: string }>([
    {
      case: "malformed",
      parts: { pin: "192.168.1" },
      says: `${old} "192.168.1", which is no IP address; write one such as 192.168.1.205 or fd00::205`,
    },
    {
      case: "words",
      parts: { pin: "any" },
      says: `${old} "any", which is no IP address; write one such as 192.168.1.205 or fd00::205`,
    },
    {
      case: "octal octets",
      parts: { pin: "192.168.001.205" },
      says: `${old} "192.168.001.205", which has a leading zero, which some programs read as octal; write its numbers without leading zeros`,
    },
    {
      case: "malformed spec.loadBalancerIP",
      parts: { spec: { loadBalancerIP: "x" } },
      says: 'asks in spec.loadBalancerIP for "x", which is no IP address; write one such as 192.168.1.205 or fd00::205',
    },
    {
      case: "a hole in the list",
      parts: { pin: "192.168.1.205,,192.168.1.206" },
      says: `${old} "192.168.1.205,,192.168.1.206", where an address is missing; separate addresses by single commas`,
    },
    {
      case: "twice the same",
      parts: { pin: "192.168.1.205,192.168.1.205" },
      says: `${old} 192.168.1.205 twice; name it once`,
    },
    {
      case: "two of one family",
      parts: { pin: "192.168.1.205,192.168.1.206" },
      says: `${old} 192.168.1.205,192.168.1.206, all IPv4; ask for at most one address of each family`,
    },
    {
      case: "an IPv6 address for an IPv4 Service",
      parts: { pin: "fd00::205" },
      says: `${old} fd00::205, but has only IPv4; ask for an IPv4 address, or change spec.ipFamilies`,
    },
    {
      case: "annotation and spec apart",
      parts: { pin: "192.168.1.205", spec: { loadBalancerIP: "192.168.1.206" } },
      says: `${old} 192.168.1.205 and in spec.loadBalancerIP for 192.168.1.206; remove one of the two`,
    },
    {
      case: "outside the pool",
      parts: { pin: "192.168.1.10" },
      says: `asks for 192.168.1.10, which is outside IPAddressPool "network/homelab-pool" (192.168.1.200-192.168.1.220); ${free}`,
    },
    {
      case: "outside every pool",
      parts: { pin: "192.168.1.10" },
      seed: { pools: [homelab, one] },
      says: `asks for 192.168.1.10, which is outside every pool: IPAddressPool "network/homelab-pool" (192.168.1.200-192.168.1.220), IPAddressPool "network/one" (10.0.0.1/32); ${free}`,
    },
    {
      case: "held by another Service",
      parts: { pin: "192.168.1.205" },
      seed: {
        pools: [homelab],
        services: [service("default/db", { addresses: "192.168.1.205" })],
        claims: [claim("192.168.1.205", "default/db")],
      },
      says: `asks for 192.168.1.205, which Service "default/db" holds; ${free}`,
    },
    {
      case: "held as a ClusterIP",
      parts: { pin: "192.168.1.205" },
      seed: { pools: [homelab], claims: [claim("192.168.1.205", "default/db", "ipallocator.k8s.io")] },
      says: `asks for 192.168.1.205, which Service "default/db" as its ClusterIP holds; ${free}`,
    },
    {
      case: "held by a node",
      parts: { pin: "192.168.1.205" },
      seed: { pools: [homelab], nodes: [node("node-1", ["192.168.1.205"])] },
      says: `asks for 192.168.1.205, which Node "node-1" holds; ${free}`,
    },
    {
      case: "held by a node as the gateway of its pods",
      parts: { pin: "192.168.1.201" },
      seed: { pools: [homelab], nodes: [{ ...node("node-1"), spec: { podCIDRs: ["192.168.1.200/30"] } }] },
      says: `asks for 192.168.1.201, which Node "node-1" as the gateway of its pods holds; ${free}`,
    },
    {
      case: "held by a node by its network plugin's word",
      parts: { pin: "192.168.1.205" },
      seed: {
        pools: [homelab],
        nodes: [
          { ...node("node-1"), metadata: { name: "node-1", annotations: { "k3s.io/external-ip": "192.168.1.205" } } },
        ],
      },
      says: `asks for 192.168.1.205, which Node "node-1" holds; ${free}`,
    },
    {
      case: "reserved by hand",
      parts: { pin: "192.168.1.205" },
      seed: { pools: [homelab], claims: [claim("192.168.1.205", "office/printer", "me")] },
      says: `asks for 192.168.1.205, which IPAddress "192.168.1.205", made by hand for "office/printer" holds; ${free}`,
    },
    {
      case: "in a pool of other namespaces",
      parts: { pin: "10.0.0.105" },
      seed: { pools: [homelab, forPlatform] },
      says: `asks for 10.0.0.105, which is in IPAddressPool "network/dmz", which does not serve this namespace; ${free}`,
    },
    {
      case: "in a pool of Services with other labels",
      parts: { pin: "10.0.0.105" },
      seed: { pools: [homelab, forWeb] },
      says: `asks for 10.0.0.105, which is in IPAddressPool "network/dmz", which does not serve Services with these labels; ${free}`,
    },
    {
      case: "in another pool than the named one",
      parts: { pin: "10.0.0.1", ...named("homelab-pool") },
      seed: { pools: [homelab, one] },
      says: `asks for 10.0.0.1, which is in IPAddressPool "network/one", though it names the pool "homelab-pool"; ${free}`,
    },
    {
      case: "a network address of a pool that avoids them",
      parts: { pin: "192.168.2.0" },
      seed: { pools: [pool("lan", ["192.168.2.0/24"], { avoidBuggyIPs: true })] },
      says: 'asks for 192.168.2.0, which IPAddressPool "network/lan" keeps back (avoidBuggyIPs); ask for a free one such as 192.168.2.1, or remove the annotation to be given one',
    },
    {
      case: "held, and nothing else is free",
      parts: { pin: "10.0.0.1" },
      seed: { pools: [one], nodes: [node("node-1", ["10.0.0.1"])] },
      says: 'asks for 10.0.0.1, which Node "node-1" holds; no address that would do is free, so free one or extend a pool',
    },
    {
      case: "a pool that does not serve it",
      parts: named("dmz"),
      seed: { pools: [homelab, forPlatform] },
      says: 'asks for IPAddressPool "network/dmz", which does not serve this namespace; ask for another pool, or change the pool\'s spec.serviceAllocation',
    },
    {
      case: "headless",
      parts: { spec: { clusterIP: "None" } },
      says: "has the clusterIP None, which no LoadBalancer can have; remove spec.clusterIP",
    },
  ])("$case", async ({ parts, seed, says }) => {
    const world = await open(seed);
    const before = world.claims();
    const outcome = await world.create(kinds.services, service("default/web", parts));
    expect(outcome.denied).toBe(`Service "default/web" ${says}`);
    expect(world.service("default/web")).toBeUndefined();
    expect(world.claims()).toEqual(before);
  });
});

describe("a Service that has to wait is admitted with a Warning that says for what", () => {
  const gets = "gets an address as soon as";
  test.each<{ case: string; parts?: ServiceParts; seed: Seed; says: string; reason: string }>([
    {
      case: "no pool",
      seed: {},
      says: `${gets} there is a pool for it; no IPAddressPool exists yet, so create one`,
      reason: "NoPools",
    },
    {
      case: "no pool for its pin",
      parts: { pin: "10.0.0.1" },
      seed: {},
      says: `${gets} there is a pool for it; no IPAddressPool exists yet, so create one`,
      reason: "NoPools",
    },
    {
      case: "only malformed pools",
      seed: { pools: [pool("bad", ["10.0.0.9-10.0.0.1"])] },
      says: `${gets} there is a pool for it; no IPAddressPool can be used as it is, so repair one`,
      reason: "NoPools",
    },
    {
      case: "a full pool",
      seed: { pools: [one], nodes: [node("node-1", ["10.0.0.1"])] },
      says: `${gets} one is free: IPAddressPool "network/one" is full (1 of 1 addresses in use); delete a Service that needs none, or add a range to a pool`,
      reason: "PoolsFull",
    },
    {
      case: "a pool that is not there yet",
      parts: named("dmz"),
      seed: { pools: [homelab] },
      says: 'asks for the pool "dmz", which does not exist; create it, or ask for one that does (homelab-pool)',
      reason: "UnknownPool",
    },
    {
      case: "only pools of other namespaces",
      seed: { pools: [forPlatform] },
      says: `${gets} a pool serves it, but none does (IPAddressPool "network/dmz"); create a pool that does, or name one in the annotation metallb.io/address-pool`,
      reason: "NoEligiblePool",
    },
    {
      case: "no pool of its family",
      parts: { spec: { ipFamilies: ["IPv6"] } },
      seed: { pools: [homelab] },
      says: 'needs IPv6, but no pool for it has such addresses (IPAddressPool "network/homelab-pool"); add a range to a pool',
      reason: "NoPoolForFamily",
    },
  ])("$case", async ({ parts, seed, says, reason }) => {
    const world = await open(seed);
    const sentence = `Service "default/web" ${says}`;
    const { stored, denied, warnings } = await world.create(kinds.services, service("default/web", parts));
    expect([denied, warnings[0]]).toEqual([undefined, sentence]);
    expect(stored?.metadata?.annotations?.[keys.addresses]).toBeUndefined();
    await pass(100);
    expect(world.conditionOf("default/web")).toBe(`False ${reason}: ${sentence}`);
    expect(world.events("default/web")).toEqual([`AllocationFailed: ${sentence}`]);
  });
});
