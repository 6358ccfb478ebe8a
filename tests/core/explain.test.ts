import { expect, test } from "vitest";
import { parseAddress } from "../../core/address/address.ts";
import type { Holder } from "../../core/allocation/holder.ts";
import type { AdmissionNote, Refusal } from "../../core/explain.ts";
import { explain, explainNote } from "../../core/explain.ts";
import { addressFrom, errorOf, other, rangeFrom } from "./builders.ts";

const service = { namespace: "default", name: "web" };
const source = "metallb.universe.tf/loadBalancerIPs";
const address = addressFrom("192.168.1.205");
const pin = { service, source, address, free: addressFrom("192.168.1.201") };
const pool = "network/homelab-pool";
const lan = { pool, ranges: [rangeFrom("192.168.1.200-192.168.1.220")] };
const dmz = { pool: "network/dmz-pool", ranges: [rangeFrom("10.0.0.100-10.0.0.109"), rangeFrom("fd00::/120")] };
const clusterIp: Holder = { kind: "other", what: 'ClusterIP of Service "default/db"' };
const families = ["IPv4", "IPv6"] as const;

const malformed = (item: string): Refusal => {
  const problem = errorOf(parseAddress(item));
  return { kind: "malformedPin", service, source, text: item, item, problem };
};

const sentences: readonly { readonly refusal: Refusal; readonly sentence: string }[] = [
  {
    refusal: malformed("192.168.1.999"),
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for "192.168.1.999", which is no IP address; write one such as 192.168.1.205 or fd00::205',
  },
  {
    refusal: malformed("192.168.001.5"),
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for "192.168.001.5", which has a leading zero, which some programs read as octal; write its numbers without leading zeros',
  },
  {
    refusal: malformed("fe80::1%eth0"),
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for "fe80::1%eth0", which has a zone; write the address without "%" and what follows',
  },
  {
    refusal: malformed(""),
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for "", which is empty; write an address such as 192.168.1.205',
  },
  {
    refusal: { kind: "holeInPins", service, source, text: "10.0.0.1,,10.0.0.2" },
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for "10.0.0.1,,10.0.0.2", where an address is missing; separate addresses by single commas',
  },
  {
    refusal: { kind: "duplicatePin", service, source, address },
    sentence: 'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for 192.168.1.205 twice; name it once',
  },
  {
    refusal: { kind: "twoPinsOfOneFamily", service, source, family: "IPv4", addresses: [address, pin.free] },
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for 192.168.1.205,192.168.1.201, all IPv4; ask for at most one address of each family',
  },
  {
    refusal: { kind: "pinnedTwice", service, source, annotated: [address], specified: pin.free },
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for 192.168.1.205 and in spec.loadBalancerIP for 192.168.1.201; remove one of the two',
  },
  {
    refusal: { kind: "wrongFamilyPin", service, source, address, families: ["IPv6"] },
    sentence:
      'Service "default/web" asks in metallb.universe.tf/loadBalancerIPs for 192.168.1.205, but has only IPv6; ask for an IPv6 address, or change spec.ipFamilies',
  },
  {
    refusal: { kind: "headless", service },
    sentence: 'Service "default/web" has the clusterIP None, which no LoadBalancer can have; remove spec.clusterIP',
  },
  {
    refusal: { kind: "pinHeld", ...pin, holder: other, conflict: undefined },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which Service "default/my-service" holds; ask for a free one such as 192.168.1.201, or remove the annotation to be given one',
  },
  {
    refusal: {
      kind: "pinHeld",
      ...pin,
      holder: clusterIp,
      conflict: undefined,
      source: "spec.loadBalancerIP",
      free: undefined,
    },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which ClusterIP of Service "default/db" holds; no address that would do is free, so free one or extend a pool',
  },
  {
    refusal: { kind: "pinHeld", ...pin, holder: clusterIp, conflict: undefined, source: "spec.loadBalancerIP" },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which ClusterIP of Service "default/db" holds; ask for a free one such as 192.168.1.201, or remove spec.loadBalancerIP to be given one',
  },
  {
    refusal: { kind: "outsidePools", ...pin, pools: [lan] },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which is outside IPAddressPool "network/homelab-pool" (192.168.1.200-192.168.1.220); ask for a free one such as 192.168.1.201, or remove the annotation to be given one',
  },
  {
    refusal: { kind: "outsidePools", ...pin, pools: [lan, dmz] },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which is outside every pool: IPAddressPool "network/homelab-pool" (192.168.1.200-192.168.1.220), IPAddressPool "network/dmz-pool" (10.0.0.100-10.0.0.109, fd00::/120); ask for a free one such as 192.168.1.201, or remove the annotation to be given one',
  },
  {
    refusal: { kind: "pinMayNotServe", ...pin, pool, problem: "namespace" },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which is in IPAddressPool "network/homelab-pool", which does not serve this namespace; ask for a free one such as 192.168.1.201, or remove the annotation to be given one',
  },
  {
    refusal: { kind: "pinMayNotServe", ...pin, pool, problem: "labels" },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which is in IPAddressPool "network/homelab-pool", which does not serve Services with these labels; ask for a free one such as 192.168.1.201, or remove the annotation to be given one',
  },
  {
    refusal: { kind: "buggyPin", ...pin, pool },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which IPAddressPool "network/homelab-pool" keeps back (avoidBuggyIPs); ask for a free one such as 192.168.1.201, or remove the annotation to be given one',
  },
  {
    refusal: { kind: "pinOutsideNamedPool", ...pin, pool, named: "dmz-pool" },
    sentence:
      'Service "default/web" asks for 192.168.1.205, which is in IPAddressPool "network/homelab-pool", though it names the pool "dmz-pool"; ask for a free one such as 192.168.1.201, or remove the annotation to be given one',
  },
  {
    refusal: {
      kind: "pinsInDifferentPools",
      service,
      source,
      pins: [
        { address, pool },
        { address: addressFrom("fd00::1"), pool: dmz.pool },
      ],
    },
    sentence:
      'Service "default/web" asks for 192.168.1.205 of IPAddressPool "network/homelab-pool" and fd00::1 of IPAddressPool "network/dmz-pool"; ask for addresses of one pool',
  },
  {
    refusal: { kind: "pinPoolLacksFamily", service, source, pins: [address], pool, missing: ["IPv6"] },
    sentence:
      'Service "default/web" asks for 192.168.1.205 of IPAddressPool "network/homelab-pool", which has no IPv6 addresses; ask for one of a pool that has both families, or set spec.ipFamilyPolicy to SingleStack',
  },
  {
    refusal: { kind: "poolMayNotServe", service, pool, problem: "namespace" },
    sentence:
      'Service "default/web" asks for IPAddressPool "network/homelab-pool", which does not serve this namespace; ask for another pool, or change the pool\'s spec.serviceAllocation',
  },
  {
    refusal: { kind: "unknownPool", service, named: "dmz", known: ["homelab-pool", "internal-pool"] },
    sentence:
      'Service "default/web" asks for the pool "dmz", which does not exist; create it, or ask for one that does (homelab-pool, internal-pool)',
  },
  {
    refusal: { kind: "noPools", service, anyPool: false },
    sentence:
      'Service "default/web" gets an address as soon as there is a pool for it; no IPAddressPool exists yet, so create one',
  },
  {
    refusal: { kind: "noPools", service, anyPool: true },
    sentence:
      'Service "default/web" gets an address as soon as there is a pool for it; no IPAddressPool can be used as it is, so repair one',
  },
  {
    refusal: { kind: "noEligiblePool", service, pools: [pool] },
    sentence:
      'Service "default/web" gets an address as soon as a pool serves it, but none does (IPAddressPool "network/homelab-pool"); create a pool that does, or name one in the annotation metallb.io/address-pool',
  },
  {
    refusal: { kind: "noPoolForFamily", service, families, pools: [pool] },
    sentence:
      'Service "default/web" needs IPv4 and IPv6, but no pool for it has both families (IPAddressPool "network/homelab-pool"); add a range to a pool',
  },
  {
    refusal: {
      kind: "noPoolForFamily",
      service,
      families: ["IPv6"],
      pools: ["a/1", "a/2", "a/3", "a/4", "a/5", "a/6", "a/7"],
    },
    sentence:
      'Service "default/web" needs IPv6, but no pool for it has such addresses (IPAddressPool "a/1", IPAddressPool "a/2", IPAddressPool "a/3", IPAddressPool "a/4", IPAddressPool "a/5" and 2 more pools); add a range to a pool',
  },
  {
    refusal: { kind: "poolsFull", service, families: ["IPv4"], pools: [{ pool, used: 21n, size: 21n }] },
    sentence:
      'Service "default/web" gets an address as soon as one is free: IPAddressPool "network/homelab-pool" is full (21 of 21 addresses in use); delete a Service that needs none, or add a range to a pool',
  },
  {
    refusal: { kind: "poolsFull", service, families, pools: [{ pool, used: 21n, size: 40n }] },
    sentence:
      'Service "default/web" gets an address as soon as one is free: IPAddressPool "network/homelab-pool" has 21 of 40 addresses in use, but none free in each family; delete a Service that needs none, or add a range to a pool',
  },
];

test.each(sentences)("explain says: $sentence", ({ refusal, sentence }) => {
  expect(explain(refusal)).toBe(sentence);
});

test.each(sentences)("one sentence names the thing first and ends with what to do: $sentence", ({ refusal }) => {
  expect(explain(refusal)).toMatch(/^(?:Service|IPAddressPool|L2Advertisement) "[^"]+" [^;]+; [^;]+[^.;]$/);
});

test.each<{ note: AdmissionNote; sentence: string }>([
  {
    note: { kind: "foreignAddress", service, address },
    sentence:
      'Service "default/web" has 192.168.1.205 in its annotation berth.dev/addresses, which is not claimed for it; leave that annotation to Berth',
  },
  {
    note: {
      kind: "loses",
      service,
      addresses: [address],
      parting: { kind: "held", holder: other, conflict: { kind: "samePorts", ports: ["TCP/80"] } },
    },
    sentence:
      'Service "default/web" would lose 192.168.1.205 by this change, which Service "default/my-service" holds and does not share with it: both use TCP/80; leave that as it is until it can be given another address (condition berth.dev/AddressAssigned)',
  },
  {
    note: {
      kind: "loses",
      service,
      addresses: [address],
      parting: { kind: "mayNotServe", pool, problem: "labels" },
    },
    sentence:
      'Service "default/web" would lose 192.168.1.205 by this change, which is in IPAddressPool "network/homelab-pool", which does not serve Services with these labels; leave that as it is until it can be given another address (condition berth.dev/AddressAssigned)',
  },
  {
    note: { kind: "notYet", service },
    sentence: 'Service "default/web" has no address yet; it gets one within seconds, see kubectl describe',
  },
])("explainNote says: $sentence", ({ note, sentence }) => {
  expect(explainNote(note)).toBe(sentence);
});
