/** The checker must find each thing that can be wrong: states made by hand, each sound but for one fault. */
import { describe, expect, test } from "vitest";
import type { Service } from "../../../cluster/kinds.ts";
import { namespace, pool, service } from "../../support/builders.ts";
import { familyOf, numberOf, numbersIn } from "./addresses.ts";
import { findFaults, type Fault, type Note } from "./checker.ts";
import type { Listing } from "./listing.ts";

/** A Service as it stands once served, with these addresses. */
function served(key: string, addresses: string, parts: Parts = {}): Service {
  const list = addresses === "" ? [] : addresses.split(",");
  const { reason = "Assigned", shown = list, annotations = {}, spec = {} } = parts;
  const made = service(key, { ...(addresses === "" ? {} : { addresses }), annotations, spec, status: shown });
  const condition = { type: "berth.dev/AddressAssigned", status: list.length > 0 ? "True" : "False", reason };
  return { ...made, status: { ...made.status, conditions: [condition] } } as Service;
}

type Parts = {
  readonly reason?: string;
  readonly shown?: readonly string[];
  readonly annotations?: Record<string, string>;
  readonly spec?: Readonly<Record<string, unknown>>;
};

const claim = (address: string, ...holders: string[]): Listing["claims"][number] => {
  const sharers = JSON.stringify(holders.map((one) => ({ service: one, terms: [] })));
  const [namespaceName, name] = (holders[0] ?? "/").split("/");
  return {
    metadata: {
      name: address,
      labels: { "ipaddress.kubernetes.io/managed-by": "berth.dev" },
      ...(holders.length === 1 ? {} : { annotations: { "berth.dev/sharers": sharers } }),
    },
    spec: { parentRef: { group: "", resource: "services", namespace: namespaceName!, name: name! } },
  };
};

/** A cluster with the pool 10.0.0.1-10.0.0.2, that allows namespaces to share where told. */
const listing = (parts: Partial<Listing>): Listing => ({
  services: [],
  claims: [],
  pools: [pool("lan", ["10.0.0.1-10.0.0.2"])],
  namespaces: [namespace("default")],
  nodes: [],
  ...parts,
});

const share = (key: string, port: number, spec: object = {}, owner = "default/a"): Service =>
  served(owner, "10.0.0.1", {
    annotations: { "metallb.io/allow-shared-ip": key },
    spec: { ports: [{ port }], ...spec },
  });

const both = claim("10.0.0.1", "default/a", "default/b");
const [a, b] = ["default/a", "default/b"];

const faultsOf = (state: Partial<Listing>, notes: readonly Note[] = []): readonly string[] =>
  findFaults(listing(state), notes).map(({ kind }: Fault) => kind);

describe("a sound cluster has no fault", () => {
  test.each<[string, Partial<Listing>]>([
    ["with one Service", { services: [served(a, "10.0.0.1")], claims: [claim("10.0.0.1", a)] }],
    ["with sharers", { services: [share("k", 80), share("k", 81, {}, b)], claims: [both] }],
    [
      "with sharers of two namespaces where the pool consents",
      {
        services: [share("k", 80), share("k", 81, {}, "other/b")],
        claims: [claim("10.0.0.1", a, "other/b")],
        pools: [pool("lan", ["10.0.0.0/30"], {}, { annotations: { "berth.dev/cross-namespace-sharing": "true" } })],
      },
    ],
    [
      "with a full pool",
      {
        services: [served(a, "10.0.0.1"), served(b, "10.0.0.2"), served("default/c", "", { reason: "PoolsFull" })],
        claims: [claim("10.0.0.1", a), claim("10.0.0.2", b)],
      },
    ],
    ["with a Service of another type", { services: [service(a, { spec: { type: "ClusterIP" } })] }],
    ["with what is somebody else's", { services: [service(a, { spec: { loadBalancerClass: "example.com/x" } })] }],
  ])("%s", (_, state) => {
    expect(findFaults(listing(state))).toEqual([]);
  });
});

describe("the checker finds", () => {
  test.each<[string, string, Partial<Listing>]>([
    [
      "two owners of one address",
      "twoOwners",
      { services: [served(a, "10.0.0.1"), served(b, "10.0.0.1")], claims: [both] },
    ],
    [
      "two owners where one has it in its status alone",
      "twoOwners",
      { services: [served(a, "10.0.0.1"), served(b, "10.0.0.2", { shown: ["10.0.0.1"] })] },
    ],
    ["sharers of different keys", "twoOwners", { services: [share("k", 80), share("l", 81, {}, b)], claims: [both] }],
    ["sharers of one port", "twoOwners", { services: [share("k", 80), share("k", 80, {}, b)], claims: [both] }],
    [
      "sharers of different backends",
      "twoOwners",
      { services: [share("k", 80), share("k", 81, { externalTrafficPolicy: "Local" }, b)], claims: [both] },
    ],
    [
      "sharers of two namespaces without the pool's consent",
      "twoOwners",
      { services: [share("k", 80), share("k", 81, {}, "other/b")], claims: [claim("10.0.0.1", a, "other/b")] },
    ],
    [
      "the address of a node",
      "notItsOwn",
      {
        services: [served(a, "10.0.0.1")],
        claims: [claim("10.0.0.1", a)],
        nodes: [{ metadata: { name: "n" }, status: { addresses: [{ type: "InternalIP", address: "10.0.0.1" }] } }],
      },
    ],
    [
      "a ClusterIP",
      "notItsOwn",
      {
        services: [served(a, "10.0.0.1"), service(b, { spec: { type: "ClusterIP", clusterIPs: ["10.0.0.1"] } })],
        claims: [claim("10.0.0.1", a)],
      },
    ],
    [
      "an address reserved by hand",
      "notItsOwn",
      { services: [served(a, "10.0.0.1")], claims: [{ metadata: { name: "10.0.0.1" } }] },
    ],
    ["an address without a claim", "unclaimed", { services: [served(a, "10.0.0.1")] }],
    ["a claim in another's name", "unclaimed", { services: [served(a, "10.0.0.1")], claims: [claim("10.0.0.1", b)] }],
    ["a claim without its Service", "orphan", { claims: [claim("10.0.0.1", a)] }],
    [
      "a claim on what its Service does not list",
      "orphan",
      { services: [served(a, "10.0.0.1")], claims: [claim("10.0.0.1", a), claim("10.0.0.2", a)] },
    ],
    ["a sharer that has gone", "orphan", { services: [served(a, "10.0.0.1")], claims: [both] }],
    [
      "a status that lags behind",
      "statusDiffers",
      { services: [served(a, "10.0.0.1", { shown: [] })], claims: [claim("10.0.0.1", a)] },
    ],
    ["a Service that was told nothing", "statusDiffers", { services: [service(a)] }],
    [
      "what is left on a Service of another type",
      "leftover",
      { services: [served(a, "10.0.0.1", { spec: { type: "ClusterIP" } })] },
    ],
    ["a full pool that is not full", "untrueReason", { services: [served(a, "", { reason: "PoolsFull" })] }],
    [
      "a pin that nobody holds",
      "untrueReason",
      {
        services: [served(a, "", { reason: "PinHeld", annotations: { "metallb.io/loadBalancerIPs": "10.0.0.2" } })],
      },
    ],
    ["a reason that it does not know", "untrueReason", { services: [served(a, "", { reason: "Whatever" })] }],
    [
      "a pin that was not kept",
      "unmet",
      {
        services: [served(a, "10.0.0.1", { annotations: { "metallb.io/loadBalancerIPs": "10.0.0.2" } })],
        claims: [claim("10.0.0.1", a)],
      },
    ],
    [
      "an address outside the pool asked for",
      "unmet",
      {
        services: [served(a, "10.0.0.1", { annotations: { "metallb.io/address-pool": "dmz" } })],
        claims: [claim("10.0.0.1", a)],
        pools: [pool("lan", ["10.0.0.1-10.0.0.2"]), pool("dmz", ["10.1.0.0/24"])],
      },
    ],
  ])("%s", (_, kind, state) => {
    expect(faultsOf(state)).toContain(kind);
  });

  test("an address that was lost, and a Service that was", () => {
    const state = { services: [served(a, "10.0.0.2")], claims: [claim("10.0.0.2", a)] };
    expect(faultsOf(state, [{ service: a, addresses: ["10.0.0.1"] }])).toEqual(["lost"]);
    expect(faultsOf(state, [{ service: b, addresses: ["10.0.0.1"] }])).toEqual(["lost"]);
    expect(faultsOf(state, [{ service: a, addresses: ["10.0.0.2"] }])).toEqual([]);
  });
});

test.each([
  ["10.0.0.1", 0x0a000001n],
  ["::1", (1n << 128n) + 1n],
  ["fd00::2:3", (1n << 128n) + (0xfd00n << 112n) + 0x20003n],
  ["banana", undefined],
])("%s is the number %s", (text, number) => {
  expect(numberOf(text)).toBe(number);
});

test("a pool's addresses are counted out one by one, those kept back left out", () => {
  const [mixed] = [pool("mixed", ["10.0.0.254-10.0.1.1", "fd00::/127"], { avoidBuggyIPs: true })];
  expect([...numbersIn(mixed, "IPv4")]).toEqual(["10.0.0.254", "10.0.1.1"].map(numberOf));
  expect([...numbersIn(mixed, "IPv6")].map(familyOf)).toEqual(["IPv6", "IPv6"]);
});
