import { describe, expect, it } from "vitest";
import { cleansing, countByKind, foreignAmong, hasTrace } from "../../../hack/src/install/removal.ts";

const other = { type: "example.org/Healthy", status: "True" };
const service = {
  metadata: { annotations: { "berth.dev/addresses": "10.0.0.1", "metallb.io/loadBalancerIPs": "10.0.0.1" } },
  status: {
    loadBalancer: { ingress: [{ ip: "10.0.0.1" }] },
    conditions: [{ type: "berth.dev/Announced", status: "True" }, other, { type: "berth.dev/AddressAssigned" }],
  },
};

describe("what is written on a Service when Berth goes", () => {
  it("takes Berth's annotations and conditions off, and leaves what its owner and others have written", () => {
    const { metadata, status } = cleansing(service, "keep");
    expect(metadata).toEqual({
      metadata: { annotations: { "berth.dev/addresses": null, "metallb.io/ip-allocated-from-pool": null } },
    });
    expect(status).toEqual({ status: { conditions: [other] } });
  });

  it("takes the addresses too where they are to be dropped", () => {
    expect(cleansing(service, "drop").status).toEqual({
      status: { conditions: [other], loadBalancer: { ingress: null } },
    });
  });

  it("is due where Berth has left an annotation or a condition, and nowhere else", () => {
    expect(hasTrace(service)).toBe(true);
    expect(hasTrace({ status: { conditions: [{ type: "berth.dev/Ready" }] } })).toBe(true);
    expect(
      hasTrace({
        metadata: { annotations: { "metallb.io/loadBalancerIPs": "10.0.0.1" } },
        status: { conditions: [other] },
      }),
    ).toBe(false);
  });
});

it("what goes with the kinds is told by kind, with numbers", () => {
  const objects = ["IPAddressPool", "IPAddressPool", "BGPPeer"].map((kind) => ({ kind, metadata: { name: "one" } }));
  expect(countByKind(objects)).toBe("IPAddressPool (2), BGPPeer (1)");
});

it("a namespace stays for what is not Berth's, and for whatever people have written, be it named like a part of Berth", () => {
  const named = (name: string, parts: object = {}): unknown => ({ metadata: { name, ...parts } });
  const builtIn = [named("announcer"), named("kube-root-ca.crt"), named("pepr-berth"), named("mine")];
  const written = [named("announcer"), named("going", { deletionTimestamp: "2026-01-01T00:00:00Z" })];
  expect(foreignAmong(builtIn, written)).toEqual([named("mine"), named("announcer")]);
});
