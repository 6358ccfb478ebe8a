/** Refusals about pools and advertisements, each with an example, its cause and its cure. */
import type { AllocationRefusal, RequestRefusal } from "../../../core/allocation/refusal.ts";
import type { BgpUnspoken } from "../../../core/explain/bgp.ts";
import type { Catalogue } from "./entry.ts";
import { address, ofPool, other, pin, pool, range } from "./values.ts";

/** In the order in which they are listed. */
export const aboutPools: Omit<Catalogue, (RequestRefusal | AllocationRefusal | BgpUnspoken)["kind"]> = {
  strandedAddresses: {
    answer: "denied",
    cause: "The change of the pool, or its deletion, would take addresses from Services that use them.",
    cure: "Keep the addresses in a pool, move the Services first, or allow it by annotation: they are then renumbered.",
    examples: [
      { kind: "strandedAddresses", pool, lost: [{ address: pin.address, holder: other }], count: 1 },
      { kind: "strandedAddresses", pool, lost: [{ address: pin.address, holder: other }], count: 7 },
    ],
  },
  poolOverlap: {
    answer: "denied",
    cause: "Two pools, in whichever namespaces, hold one address.",
    cure: "Keep each address in one pool. Of two that are stored all the same, the older one works.",
    examples: [
      {
        kind: "poolOverlap",
        pool: "network/lan",
        range: range("192.168.1.0/24"),
        other: pool,
        otherRange: range("192.168.1.200-192.168.1.220"),
      },
    ],
  },
  selfOverlap: {
    answer: "denied",
    cause: "Two entries of one pool hold one address.",
    cure: "Keep each address in one entry.",
    examples: [{ kind: "selfOverlap", pool, range: range("10.0.0.0/25"), earlier: range("10.0.0.0/24") }],
  },
  nodeAddresses: {
    answer: "denied",
    cause: "The pool holds addresses of the cluster's own nodes.",
    cure: "Leave those addresses out. Such an address is never given to a Service.",
    examples: [
      { kind: "nodeAddresses", pool, some: [{ node: "node-1", address: address("192.168.1.210") }], count: 1 },
      { kind: "nodeAddresses", pool, some: [{ node: "node-1", address: address("192.168.1.210") }], count: 3 },
    ],
  },
  serviceRange: {
    answer: "denied",
    cause: "The pool holds addresses that the cluster gives to Services as ClusterIPs.",
    cure: "Use addresses of your own network.",
    examples: [
      {
        kind: "serviceRange",
        pool,
        range: range("10.96.1.0/24"),
        serviceCidr: "kubernetes",
        serviceRange: range("10.96.0.0/16"),
      },
    ],
  },
  specialRange: {
    answer: "denied",
    cause: "The range holds loopback, link-local, multicast or other addresses that no client can reach a Service by.",
    cure: "Use addresses of your own network.",
    examples: [{ kind: "specialRange", pool, entry: "127.0.0.0/24", special: "loopback" }],
  },
  badRange: {
    answer: "denied",
    cause: "An entry of spec.addresses is neither a CIDR nor a range of one family, first address first.",
    cure: "Write it as the sentence shows.",
    examples: [
      {
        kind: "badRange",
        pool,
        entry: "192.168.1.205",
        problem: { kind: "bareAddress", text: "192.168.1.205", address: pin.address },
      },
      {
        kind: "badRange",
        pool,
        entry: "192.168.1.5-fd00::5",
        problem: {
          kind: "mixedFamilies",
          text: "192.168.1.5-fd00::5",
          first: address("192.168.1.5"),
          last: address("fd00::5"),
        },
      },
    ],
  },
  noAddresses: {
    answer: "denied",
    cause: "The pool lists no range.",
    cure: "List at least one.",
    examples: [{ kind: "noAddresses", pool }],
  },
  noUsableAddress: {
    answer: "denied",
    cause: "All addresses of the pool end in .0 or .255, which avoidBuggyIPs keeps back.",
    cure: "Add a range, or turn avoidBuggyIPs off.",
    examples: [{ kind: "noUsableAddress", pool }],
  },
  badSteering: {
    answer: "denied",
    cause: "An annotation of Berth's on the pool has a value that means nothing.",
    cure: "Write a duration, or true or false.",
    examples: [
      { kind: "badSteering", pool, annotation: "berth.dev/cool-down", value: "soon", wants: "duration" },
      { kind: "badSteering", pool, annotation: "berth.dev/allow-renumbering", value: "yes", wants: "flag" },
    ],
  },
  badSelector: {
    answer: "denied",
    cause:
      "A label selector of a pool or an advertisement has no key, an unknown operator, or values that it can't have.",
    cure: "Write the selector as Kubernetes has it.",
    examples: [
      {
        kind: "badSelector",
        ...ofPool,
        field: "serviceAllocation.serviceSelectors",
        problem: { kind: "unknownOperator", key: "app", operator: "Is" },
      },
    ],
  },
  duplicateSelector: {
    answer: "denied",
    cause: "A list holds the same selector twice.",
    cure: "Remove one of the two.",
    examples: [
      { kind: "duplicateSelector", ...ofPool, field: "serviceAllocation.serviceSelectors", selector: "app=web" },
    ],
  },
  duplicateName: {
    answer: "denied",
    cause: "A list holds the same name twice.",
    cure: "Remove one of the two.",
    examples: [{ kind: "duplicateName", ...ofPool, name: "shop" }],
  },
  missingNamespaces: {
    answer: "warning",
    cause: "The pool is for a namespace that does not exist.",
    cure: "Create the namespace, or correct its name.",
    examples: [{ kind: "missingNamespaces", pool, some: ["shop"], count: 1 }],
  },
  servesNobody: {
    answer: "warning",
    cause: "The pool's namespaceSelectors match no namespace; that means nobody, not everybody.",
    cure: "Label a namespace, or correct the selectors.",
    examples: [{ kind: "servesNobody", pool }],
  },
  badWeight: {
    answer: "denied",
    cause: "A preference of an advertisement has no weight from 1 to 100.",
    cure: "Write one.",
    examples: [{ kind: "badWeight", advertisement: "network/homelab-l2", weight: 0 }],
  },
  missingPools: {
    answer: "warning",
    cause: "The advertisement names a pool that does not exist.",
    cure: "Create the pool: objects may come in any order.",
    examples: [{ kind: "missingPools", advertisement: "network/homelab-l2", some: ["dmz"], count: 1 }],
  },
  choosesNoPool: {
    answer: "warning",
    cause: "No pool has the labels that the advertisement chooses by.",
    cure: "Label a pool, or correct the selectors.",
    examples: [{ kind: "choosesNoPool", advertisement: "network/homelab-l2" }],
  },
  choosesNoNode: {
    answer: "warning",
    cause: "No node has the labels that the advertisement chooses by.",
    cure: "Label a node, or correct the selectors.",
    examples: [{ kind: "choosesNoNode", advertisement: "network/homelab-l2" }],
  },
};
