/** Refusals about Services, each with an example, its cause and its cure. */
import type { AllocationRefusal, RequestRefusal } from "../../../core/allocation/refusal.ts";
import type { Catalogue } from "./entry.ts";
import { address, lan, other, pin, pool, service, source } from "./values.ts";

const free = pin.free;
const ports = ["TCP/80"];

/** In the order in which they are listed. */
export const aboutServices: Pick<Catalogue, (RequestRefusal | AllocationRefusal)["kind"]> = {
  poolsFull: {
    answer: "waits",
    cause: "Every address of the pools that may serve the Service is in use.",
    cure: "Delete a Service that needs no address, or add a range to a pool; the Service is served at once then.",
    examples: [{ kind: "poolsFull", service, families: ["IPv4"], pools: [{ pool, used: 21n, size: 21n }] }],
  },
  pinHeld: {
    answer: "denied",
    cause:
      "The address that the Service asks for is in use: by a Service, a node, a ClusterIP, or an IPAddress object made by hand.",
    cure: "Ask for another address, or take it from its holder. To share it, give both Services the same allow-shared-ip, other ports, and the same externalTrafficPolicy.",
    examples: [
      { kind: "pinHeld", ...pin, holder: other, conflict: undefined },
      { kind: "pinHeld", ...pin, holder: other, conflict: { kind: "notShared" } },
      { kind: "pinHeld", ...pin, holder: other, conflict: { kind: "otherKey", key: "dns" } },
      { kind: "pinHeld", ...pin, holder: other, conflict: { kind: "samePorts", ports } },
      { kind: "pinHeld", ...pin, holder: other, conflict: { kind: "otherBackend" } },
      { kind: "pinHeld", ...pin, holder: { ...other, namespace: "shop" }, conflict: { kind: "otherNamespace" } },
      { kind: "pinHeld", ...pin, holder: { ...other, isResting: true }, conflict: undefined },
      { kind: "pinHeld", ...pin, holder: { kind: "other", what: 'Node "node-1"' }, conflict: undefined },
    ],
  },
  outsidePools: {
    answer: "denied",
    cause: "No pool holds the address that the Service asks for.",
    cure: "Ask for an address of a pool, or add a range to a pool first.",
    examples: [{ kind: "outsidePools", ...pin, address: address("10.9.9.9"), pools: [lan] }],
  },
  unknownPool: {
    answer: "waits",
    cause: "The annotation address-pool names a pool that does not exist.",
    cure: "Create the pool: the Service is served then. Or name one that exists.",
    examples: [{ kind: "unknownPool", service, named: "dmz", known: ["homelab-pool"] }],
  },
  ambiguousPool: {
    answer: "denied",
    cause: "Pools of that name stand in several namespaces.",
    cure: "Name the pool as namespace/name.",
    examples: [{ kind: "ambiguousPool", service, named: "dmz", candidates: ["edge/dmz", "network/dmz"] }],
  },
  noPools: {
    answer: "waits",
    cause: "There is no pool yet, or none that can be used.",
    cure: "Create a pool, or repair the one there is.",
    examples: [
      { kind: "noPools", service, anyPool: false },
      { kind: "noPools", service, anyPool: true },
    ],
  },
  noEligiblePool: {
    answer: "waits",
    cause:
      "Each pool is for other namespaces or Services (serviceAllocation), or gives addresses on request only (autoAssign: false).",
    cure: "Name a pool that gives on request, or create or widen one.",
    examples: [{ kind: "noEligiblePool", service, pools: [pool] }],
  },
  noPoolForFamily: {
    answer: "waits",
    cause: "No pool that may serve the Service has addresses of its IP family, or of both in one pool.",
    cure: "Add a range of that family to a pool, or change spec.ipFamilyPolicy.",
    examples: [{ kind: "noPoolForFamily", service, families: ["IPv4", "IPv6"], pools: [pool] }],
  },
  poolInert: {
    answer: "waits",
    cause:
      "The pool that the Service names, or that its address is of, has a fault and gives nothing until it is repaired.",
    cure: "Repair the pool; its condition berth.dev/Ready says what is wrong. What a Service has of it stays meanwhile.",
    examples: [
      { kind: "poolInert", service, pool, kept: [] },
      { kind: "poolInert", service, pool, kept: [pin.address] },
    ],
  },
  addressOfNoPool: {
    answer: "waits",
    cause: "The Service had an address before Berth came, and no pool has that; it keeps it.",
    cure: "Add the address to a pool. Or name a pool, or an address of one, to have the Service moved.",
    examples: [{ kind: "addressOfNoPool", service, addresses: [pin.address] }],
  },
  addressDoubled: {
    answer: "waits",
    cause:
      "Before Berth came, two Services were given one address without the right to share it, and the older one keeps it; or what a Service had is reserved by hand.",
    cure: "Ask for another address for one of them, let them share, or delete the reservation.",
    examples: [{ kind: "addressDoubled", service, address: pin.address, holder: other }],
  },
  poolMayNotServe: {
    answer: "denied",
    cause: "The pool that the Service names is for other namespaces or Services.",
    cure: "Name another pool, or change the pool's serviceAllocation.",
    examples: [
      { kind: "poolMayNotServe", service, pool, problem: "namespace" },
      { kind: "poolMayNotServe", service, pool, problem: "labels" },
    ],
  },
  pinMayNotServe: {
    answer: "denied",
    cause: "The address asked for is of a pool that is for other namespaces or Services.",
    cure: "Ask for an address of another pool, or change the pool's serviceAllocation.",
    examples: [{ kind: "pinMayNotServe", ...pin, pool, problem: "namespace" }],
  },
  pinInInertPool: {
    answer: "denied",
    cause: "The address asked for is of a pool that has a fault and gives nothing until it is repaired.",
    cure: "Repair the pool; its condition berth.dev/Ready says what is wrong. Or ask for an address of another.",
    examples: [{ kind: "pinInInertPool", ...pin, pool }],
  },
  pinOutsideNamedPool: {
    answer: "denied",
    cause: "The Service asks for an address and names a pool that does not hold it.",
    cure: "Remove one of the two.",
    examples: [{ kind: "pinOutsideNamedPool", ...pin, pool, named: "dmz" }],
  },
  buggyPin: {
    answer: "denied",
    cause: "The address ends in .0 or .255, and its pool keeps those back.",
    cure: "Ask for another address, or turn the pool's avoidBuggyIPs off.",
    examples: [{ kind: "buggyPin", ...pin, address: address("192.168.1.255"), pool }],
  },
  pinsInDifferentPools: {
    answer: "denied",
    cause: "The two addresses asked for are of two pools.",
    cure: "Ask for two addresses of one pool.",
    examples: [
      {
        kind: "pinsInDifferentPools",
        service,
        source,
        pins: [
          { address: pin.address, pool },
          { address: address("fd00::5"), pool: "network/v6" },
        ],
      },
    ],
  },
  pinPoolLacksFamily: {
    answer: "denied",
    cause: "The Service needs both families, and the pool of the address asked for has one.",
    cure: "Ask for an address of a pool with both families, or make the Service single-stack.",
    examples: [{ kind: "pinPoolLacksFamily", service, source, pins: [pin.address], pool, missing: ["IPv6"] }],
  },
  malformedPin: {
    answer: "denied",
    cause: "What the Service asks for is no IP address.",
    cure: "Write an address.",
    examples: [
      {
        kind: "malformedPin",
        service,
        source,
        text: "192.168.1.256",
        item: "192.168.1.256",
        problem: { kind: "notAnAddress", text: "192.168.1.256" },
      },
    ],
  },
  holeInPins: {
    answer: "denied",
    cause: "The list of addresses has a comma too many.",
    cure: "Separate addresses by single commas.",
    examples: [{ kind: "holeInPins", service, source, text: "192.168.1.205,,fd00::5" }],
  },
  duplicatePin: {
    answer: "denied",
    cause: "The list names an address twice.",
    cure: "Name it once.",
    examples: [{ kind: "duplicatePin", service, source, address: pin.address }],
  },
  twoPinsOfOneFamily: {
    answer: "denied",
    cause: "The list names two addresses of one family.",
    cure: "Ask for at most one IPv4 and one IPv6 address.",
    examples: [{ kind: "twoPinsOfOneFamily", service, source, family: "IPv4", addresses: [pin.address, free] }],
  },
  pinnedTwice: {
    answer: "denied",
    cause: "An annotation and spec.loadBalancerIP ask for different addresses.",
    cure: "Remove one of the two.",
    examples: [{ kind: "pinnedTwice", service, source, annotated: [pin.address], specified: free }],
  },
  wrongFamilyPin: {
    answer: "denied",
    cause: "The Service does not have the family of the address that it asks for.",
    cure: "Ask for an address of its family, or change spec.ipFamilies.",
    examples: [{ kind: "wrongFamilyPin", service, source, address: address("fd00::5"), families: ["IPv4"] }],
  },
  headless: {
    answer: "denied",
    cause: "A Service with clusterIP None cannot be a LoadBalancer.",
    cure: "Remove spec.clusterIP.",
    examples: [{ kind: "headless", service }],
  },
};
