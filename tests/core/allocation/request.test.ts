import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { printAddress } from "../../../core/address/address.ts";
import type { ServiceInput } from "../../../core/allocation/request.ts";
import { readRequest, wantsAddress } from "../../../core/allocation/request.ts";
import { nearlyAddress } from "../../support/generators.ts";
import { errorOf, serviceInput, valueOf } from "../builders.ts";

type Spec = NonNullable<ServiceInput["spec"]>;

const [pinNew, pinOld] = ["metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs"];
const single = { primaryFamily: "IPv4" } as const;
const dual = { primaryFamily: "IPv4", secondaryFamily: "IPv6" } as const;
const dualSpec: Spec = { ipFamilyPolicy: "RequireDualStack" };

test.each<{ spec: Spec; wants: boolean }>([
  { spec: {}, wants: true },
  { spec: { loadBalancerClass: "berth.dev/berth" }, wants: true },
  { spec: { loadBalancerClass: "example.com/cloud" }, wants: false },
  { spec: { type: "ClusterIP" }, wants: false },
])("a Service with $spec wants an address: $wants", ({ spec, wants }) => {
  expect(wantsAddress(serviceInput(spec), "berth.dev/berth")).toBe(wants);
});

describe("the families of a request", () => {
  test.each<{ spec: Spec; facts: typeof single | typeof dual; families: string[]; all: boolean }>([
    { spec: {}, facts: single, families: ["IPv4"], all: true },
    { spec: { ipFamilies: ["IPv6"] }, facts: dual, families: ["IPv6"], all: true },
    { spec: { ipFamilyPolicy: "PreferDualStack" }, facts: dual, families: ["IPv4", "IPv6"], all: false },
    { spec: { ipFamilyPolicy: "PreferDualStack" }, facts: single, families: ["IPv4"], all: false },
    {
      spec: { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv6"] },
      facts: dual,
      families: ["IPv6", "IPv4"],
      all: false,
    },
    { spec: { ipFamilyPolicy: "RequireDualStack" }, facts: dual, families: ["IPv4", "IPv6"], all: true },
    { spec: { ipFamilies: ["IPv6", "IPv4"] }, facts: dual, families: ["IPv6", "IPv4"], all: true },
    {
      spec: { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "SingleStack" },
      facts: dual,
      families: ["IPv6"],
      all: true,
    },
    {
      spec: { clusterIPs: ["10.43.0.9"], ipFamilyPolicy: "PreferDualStack" },
      facts: dual,
      families: ["IPv4"],
      all: false,
    },
    {
      spec: { clusterIPs: ["fd43::9"], ipFamilyPolicy: "RequireDualStack" },
      facts: dual,
      families: ["IPv6", "IPv4"],
      all: true,
    },
    {
      spec: { clusterIPs: ["fd43::9", "10.43.0.9"], ipFamilyPolicy: "RequireDualStack" },
      facts: dual,
      families: ["IPv6", "IPv4"],
      all: true,
    },
    {
      spec: { clusterIPs: ["10.43.0.9", "fd43::9"], ipFamilyPolicy: "SingleStack" },
      facts: dual,
      families: ["IPv4"],
      all: true,
    },
    { spec: { clusterIP: "fd43::9", ipFamilies: ["IPv4"] }, facts: dual, families: ["IPv6"], all: true },
    { spec: { clusterIP: "" }, facts: dual, families: ["IPv4"], all: true },
  ])("of $spec are $families, all of them needed: $all", ({ spec, facts, families, all }) => {
    const request = valueOf(readRequest(serviceInput(spec), facts, {}));
    expect([request.families, request.needsAllFamilies]).toEqual([families, all]);
  });
});

describe("the pins of a request", () => {
  test.each<{ annotations: Record<string, string>; spec?: Spec; pins: string[]; source: string }>([
    { annotations: {}, pins: [], source: pinOld },
    { annotations: { [pinOld]: "192.168.1.205" }, pins: ["192.168.1.205"], source: pinOld },
    { annotations: { [pinOld]: "192.168.1.205", [pinNew]: "192.168.1.206" }, pins: ["192.168.1.206"], source: pinNew },
    { annotations: { [pinOld]: "192.168.1.205", [pinNew]: "" }, pins: [], source: pinNew },
    {
      annotations: {},
      spec: { loadBalancerIP: "192.168.1.205" },
      pins: ["192.168.1.205"],
      source: "spec.loadBalancerIP",
    },
    {
      annotations: { [pinNew]: "192.168.1.205" },
      spec: { loadBalancerIP: "192.168.1.205" },
      pins: ["192.168.1.205"],
      source: pinNew,
    },
    {
      annotations: { [pinNew]: "" },
      spec: { loadBalancerIP: "192.168.1.205" },
      pins: ["192.168.1.205"],
      source: "spec.loadBalancerIP",
    },
    { annotations: { [pinNew]: "fd00::5, 10.0.0.5" }, spec: dualSpec, pins: ["fd00::5", "10.0.0.5"], source: pinNew },
  ])("of $annotations and $spec are $pins", ({ annotations, spec, pins, source }) => {
    const request = valueOf(readRequest(serviceInput(spec, annotations), dual, {}));
    expect([request.pins.map(printAddress), request.pinSource]).toEqual([pins, source]);
  });

  test.each<{ why: string; pin?: string; spec?: Spec }>([
    { why: "malformedPin", pin: "192.168.1.999" },
    { why: "malformedPin", pin: "192.168.001.5" },
    { why: "malformedPin", spec: { loadBalancerIP: "web" } },
    { why: "holeInPins", pin: "10.0.0.1,,10.0.0.2" },
    { why: "duplicatePin", pin: "10.0.0.1,10.0.0.1" },
    { why: "twoPinsOfOneFamily", pin: "10.0.0.1,10.0.0.2" },
    { why: "pinnedTwice", pin: "10.0.0.1", spec: { loadBalancerIP: "10.0.0.2" } },
    { why: "pinnedTwice", pin: "10.0.0.1,fd00::1", spec: { ...dualSpec, loadBalancerIP: "10.0.0.1" } },
    { why: "wrongFamilyPin", pin: "fd00::1" },
    { why: "headless", spec: { clusterIP: "None" } },
  ])("$pin with $spec is refused as $why", ({ why, pin, spec }) => {
    const annotations = pin === undefined ? {} : { [pinNew]: pin };
    expect(errorOf(readRequest(serviceInput(spec, annotations), dual, {})).kind).toBe(why);
  });
});

test.each([
  [{}, undefined],
  [{ "metallb.universe.tf/address-pool": "dmz" }, "dmz"],
  [{ "metallb.universe.tf/address-pool": "dmz", "metallb.io/address-pool": "lan" }, "lan"],
  [{ "metallb.universe.tf/address-pool": "dmz", "metallb.io/address-pool": "" }, undefined],
])("the annotations %j ask for the pool %s", (annotations, pool) => {
  expect(valueOf(readRequest(serviceInput({}, annotations), dual, {})).poolName).toBe(pool);
});

it("readRequest returns on any texts", () => {
  fc.assert(
    fc.property(nearlyAddress, nearlyAddress, nearlyAddress, (pin, loadBalancerIP, clusterIP) => {
      expect(readRequest(serviceInput({ loadBalancerIP, clusterIP }, { [pinOld]: pin }), dual, {})).toHaveProperty(
        "ok",
      );
    }),
  );
});
