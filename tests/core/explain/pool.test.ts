import { expect, test } from "vitest";
import { parseRange } from "../../../core/address/range.ts";
import type { Refusal } from "../../../core/explain.ts";
import { explain } from "../../../core/explain.ts";
import type { SelectorProblem, Subject } from "../../../core/labels.ts";
import { addressFrom, errorOf, rangeFrom } from "../builders.ts";

const service = { namespace: "default", name: "web" };
const address = addressFrom("192.168.1.205");
const pool = "network/homelab-pool";

const badRange = (entry: string): Refusal => ({ kind: "badRange", pool, entry, problem: errorOf(parseRange(entry)) });
const badSelector = (problem: SelectorProblem): Refusal => {
  const subject: Subject = { type: "L2Advertisement", key: "network/homelab-l2" };
  return { kind: "badSelector", subject, field: "nodeSelectors", problem };
};
const list = { subject: { type: "IPAddressPool", key: pool }, field: "serviceAllocation.namespaces" } as const;

const sentences: readonly { readonly refusal: Refusal; readonly sentence: string }[] = [
  {
    refusal: { kind: "noAddresses", pool },
    sentence: 'IPAddressPool "network/homelab-pool" has no addresses; list at least one range in spec.addresses',
  },
  {
    refusal: { kind: "noUsableAddress", pool },
    sentence:
      'IPAddressPool "network/homelab-pool" has only addresses that avoidBuggyIPs keeps back; add a range or turn avoidBuggyIPs off',
  },
  {
    refusal: badRange("lan"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "lan", which is no range; write a CIDR such as 192.168.1.0/24 or a range such as 192.168.1.200-192.168.1.220',
  },
  {
    refusal: badRange("192.168.1.5"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "192.168.1.5", a bare address; write 192.168.1.5/32 for this one address',
  },
  {
    refusal: badRange("fd00::5"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "fd00::5", a bare address; write fd00::5/128 for this one address',
  },
  {
    refusal: badRange(" 10.0.0.0/8"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses " 10.0.0.0/8" with blanks around it; write "10.0.0.0/8"',
  },
  {
    refusal: badRange("10.0.0.0/33"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "10.0.0.0/33" with the prefix length "33"; write one from 0 to 32',
  },
  {
    refusal: badRange("010.0.0.1-10.0.0.9"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "010.0.0.1-10.0.0.9", where "010.0.0.1" has a leading zero, which some programs read as octal; write its numbers without leading zeros',
  },
  {
    refusal: badRange("1.2.3.4-9"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "1.2.3.4-9", where "9" is no IP address; write one such as 192.168.1.205 or fd00::205',
  },
  {
    refusal: badRange("1.2.3.4-1000::5"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "1.2.3.4-1000::5", which begins with IPv4 and ends with IPv6; write both ends in one family',
  },
  {
    refusal: badRange("10.0.0.9-10.0.0.1"),
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "10.0.0.9-10.0.0.1", which runs backwards; write 10.0.0.1-10.0.0.9',
  },
  {
    refusal: { kind: "specialRange", pool, entry: "224.0.0.0/4", special: "multicast" },
    sentence:
      'IPAddressPool "network/homelab-pool" has in spec.addresses "224.0.0.0/4", which holds multicast addresses; use addresses of your own network',
  },
  {
    refusal: { kind: "selfOverlap", pool, range: rangeFrom("10.0.0.0/24"), earlier: rangeFrom("10.0.0.9-10.0.0.10") },
    sentence:
      'IPAddressPool "network/homelab-pool" has 10.0.0.0/24 and 10.0.0.9-10.0.0.10, which overlap; keep each address in one entry',
  },
  {
    refusal: {
      kind: "poolOverlap",
      pool,
      range: rangeFrom("10.0.0.0/24"),
      other: "network/dmz-pool",
      otherRange: rangeFrom("10.0.0.9-10.0.0.10"),
    },
    sentence:
      'IPAddressPool "network/homelab-pool" has 10.0.0.0/24, which overlaps 10.0.0.9-10.0.0.10 of IPAddressPool "network/dmz-pool"; keep each address in one pool',
  },
  {
    refusal: {
      kind: "nodeAddresses",
      pool,
      some: [{ node: "node-1", address: addressFrom("192.168.1.11") }],
      count: 1,
    },
    sentence:
      'IPAddressPool "network/homelab-pool" has 192.168.1.11 of Node "node-1"; leave addresses of Nodes out of spec.addresses',
  },
  {
    refusal: {
      kind: "nodeAddresses",
      pool,
      some: [
        { node: "node-1", address: addressFrom("192.168.1.11") },
        { node: "node-2", address: addressFrom("192.168.1.12") },
      ],
      count: 2,
    },
    sentence:
      'IPAddressPool "network/homelab-pool" has 192.168.1.11 of Node "node-1" and 192.168.1.12 of Node "node-2"; leave addresses of Nodes out of spec.addresses',
  },
  {
    refusal: {
      kind: "nodeAddresses",
      pool,
      some: [
        { node: "node-1", address: addressFrom("192.168.1.11") },
        { node: "node-2", address: addressFrom("192.168.1.12") },
        { node: "node-2", address: addressFrom("fd00::12") },
      ],
      count: 7,
    },
    sentence:
      'IPAddressPool "network/homelab-pool" has 192.168.1.11 of Node "node-1", 192.168.1.12 of Node "node-2", fd00::12 of Node "node-2" and 4 more; leave addresses of Nodes out of spec.addresses',
  },
  {
    refusal: {
      kind: "serviceRange",
      pool,
      range: rangeFrom("10.96.1.0/24"),
      serviceCidr: "kubernetes",
      serviceRange: rangeFrom("10.96.0.0/16"),
    },
    sentence:
      'IPAddressPool "network/homelab-pool" has 10.96.1.0/24, which overlaps 10.96.0.0/16 of ServiceCIDR "kubernetes", where ClusterIPs come from; use addresses outside it',
  },
  {
    refusal: { kind: "missingNamespaces", pool, some: ["shop"], count: 1 },
    sentence:
      'IPAddressPool "network/homelab-pool" names in spec.serviceAllocation.namespaces "shop", which does not exist; create it or correct the name',
  },
  {
    refusal: { kind: "missingNamespaces", pool, some: ["a", "b", "c"], count: 5 },
    sentence:
      'IPAddressPool "network/homelab-pool" names in spec.serviceAllocation.namespaces "a", "b", "c" and 2 more, which do not exist; create them or correct the names',
  },
  {
    refusal: { kind: "servesNobody", pool },
    sentence:
      'IPAddressPool "network/homelab-pool" serves no Service, since its spec.serviceAllocation.namespaceSelectors match no namespace; label a namespace or correct them',
  },
  {
    refusal: { kind: "missingPools", advertisement: "network/homelab-l2", some: ["homelab-pol"], count: 1 },
    sentence:
      'L2Advertisement "network/homelab-l2" names in spec.ipAddressPools "homelab-pol", which does not exist; create it or correct the name',
  },
  {
    refusal: { kind: "choosesNoPool", advertisement: "network/homelab-l2" },
    sentence:
      'L2Advertisement "network/homelab-l2" announces nothing, since there is no IPAddressPool that it chooses; create one, or correct spec.ipAddressPoolSelectors',
  },
  {
    refusal: { kind: "choosesNoNode", advertisement: "network/homelab-l2" },
    sentence:
      'L2Advertisement "network/homelab-l2" announces nothing, since there is no Node that it chooses; label one, or correct spec.nodeSelectors',
  },
  {
    refusal: { kind: "badSteering", pool, annotation: "berth.dev/cool-down", value: "soon", wants: "duration" },
    sentence:
      'IPAddressPool "network/homelab-pool" has in its annotation berth.dev/cool-down "soon"; write a duration such as 30s, 10m or 1h30m, at most 168h',
  },
  {
    refusal: { kind: "badSteering", pool, annotation: "berth.dev/allow-renumbering", value: "yes", wants: "flag" },
    sentence:
      'IPAddressPool "network/homelab-pool" has in its annotation berth.dev/allow-renumbering "yes"; write "true" or "false"',
  },
  {
    refusal: { kind: "strandedAddresses", pool, lost: [{ address, holder: service }], count: 1 },
    sentence:
      'IPAddressPool "network/homelab-pool" would lose 192.168.1.205 (Service "default/web"), which is in use; keep the addresses in a pool, move the Services first, or set the annotation berth.dev/allow-renumbering: "true" on it to have them renumbered',
  },
  {
    refusal: { kind: "strandedAddresses", pool, lost: [{ address, holder: service }], count: 3 },
    sentence:
      'IPAddressPool "network/homelab-pool" would lose 192.168.1.205 (Service "default/web") and 2 more, which are in use; keep the addresses in a pool, move the Services first, or set the annotation berth.dev/allow-renumbering: "true" on it to have them renumbered',
  },
  {
    refusal: { kind: "duplicateName", ...list, name: "shop" },
    sentence:
      'IPAddressPool "network/homelab-pool" names "shop" twice in spec.serviceAllocation.namespaces; remove one of the two',
  },
  {
    refusal: { kind: "duplicateSelector", ...list, selector: "a=1,b=2" },
    sentence:
      'IPAddressPool "network/homelab-pool" has the selector "a=1,b=2" twice in spec.serviceAllocation.namespaces; remove one of the two',
  },
  {
    refusal: badSelector({ kind: "missingKey" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector without a key; name the label in key',
  },
  {
    refusal: badSelector({ kind: "badKey", key: "a b" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector with the key "a b", which is no label\'s name; write one such as app or example.com/app',
  },
  {
    refusal: badSelector({ kind: "badValue", key: "app", value: "a b" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector on "app" with the value "a b", which no label can have; use at most 63 letters, digits, "-", "_" and "."',
  },
  {
    refusal: badSelector({ kind: "missingOperator", key: "app" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector on "app" without an operator; write In, NotIn, Exists or DoesNotExist',
  },
  {
    refusal: badSelector({ kind: "unknownOperator", key: "app", operator: "Gt" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector on "app" with the operator "Gt"; write In, NotIn, Exists or DoesNotExist',
  },
  {
    refusal: badSelector({ kind: "valuesMissing", key: "app", operator: "In" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector on "app" with the operator In and no values; list at least one value',
  },
  {
    refusal: badSelector({ kind: "valuesNotAllowed", key: "app", operator: "Exists" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector on "app" with the operator Exists and values; remove the values',
  },
  {
    refusal: badSelector({ kind: "duplicateValue", key: "app", value: "web" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector on "app" with the value "web" twice; remove one of the two',
  },
  {
    refusal: badSelector({ kind: "duplicateExpression", text: "app in (db,web)" }),
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.nodeSelectors a selector with the expression "app in (db,web)" twice; remove one of the two',
  },
  {
    refusal: { kind: "badWeight", advertisement: "network/homelab-l2", weight: 101 },
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.preferredNodeSelectors the weight 101; write a whole number from 1 to 100',
  },
  {
    refusal: { kind: "badWeight", advertisement: "network/homelab-l2", weight: undefined },
    sentence:
      'L2Advertisement "network/homelab-l2" has in spec.preferredNodeSelectors the weight none; write a whole number from 1 to 100',
  },
];

test.each(sentences)("explain says: $sentence", ({ refusal, sentence }) => {
  expect(explain(refusal)).toBe(sentence);
});

test.each(sentences)("one sentence names the thing first and ends with what to do: $sentence", ({ refusal }) => {
  expect(explain(refusal)).toMatch(/^(?:Service|IPAddressPool|L2Advertisement) "[^"]+" [^;]+; [^;]+[^.;]$/);
});
