import fc from "fast-check";
import { expect, it } from "vitest";
import { isBuggyAddress, printAddress } from "../../../core/address/address.ts";
import { rangeContains } from "../../../core/address/range.ts";
import { allocate } from "../../../core/allocation/allocate.ts";
import { serviceHolder } from "../../../core/allocation/holder.ts";
import { Occupancy } from "../../../core/allocation/occupancy.ts";
import type { ServiceRequest } from "../../../core/allocation/request.ts";
import { usablePools } from "../../../core/pool/overlap.ts";
import type { Pool } from "../../../core/pool/pool.ts";
import { crowdedPools } from "../../support/generators.ts";
import { addressFrom, requestFrom } from "../builders.ts";

const serviceRequest = (index: number, pinned: number | undefined): ServiceRequest =>
  requestFrom({
    service: { namespace: "default", name: `web-${String(index)}` },
    pins: pinned === undefined ? [] : [addressFrom(`10.0.${String(pinned)}.252`)],
  });

const pins = fc.array(fc.option(fc.nat({ max: 20 }), { nil: undefined, freq: 2 }), { maxLength: 60 });

function allocateAll(
  requests: readonly ServiceRequest[],
  pools: readonly Pool[],
  occupancy: Occupancy,
): ServiceRequest[] {
  return requests.map((request) => {
    const result = allocate(request, { pools, occupancy });
    if (!result.ok) return request;
    for (const address of result.value.addresses) {
      expect(occupancy.take(address, serviceHolder(request.service))).toBe(true);
      const pool = pools.find(({ key }) => key === result.value.pool);
      expect(pool?.ranges.some((range) => rangeContains(range, address))).toBe(true);
      expect(pool?.avoidBuggyIps === true && isBuggyAddress(address)).toBe(false);
    }
    return { ...request, held: result.value.addresses };
  });
}

it("no address is given twice, and each is of the pool it is said to be from", () => {
  fc.assert(
    fc.property(crowdedPools, pins, (inputs, pinned) => {
      const { usable } = usablePools(inputs);
      const served = allocateAll(
        pinned.map((pin, i) => serviceRequest(i, pin)),
        usable,
        new Occupancy(),
      );
      const given = served.flatMap(({ held }) => held.map(printAddress));
      expect(new Set(given).size).toBe(given.length);
    }),
  );
});

it("the order of the pools changes nothing", () => {
  fc.assert(
    fc.property(crowdedPools, pins, (inputs, pinned) => {
      const { usable } = usablePools(inputs);
      const requests = pinned.map((pin, i) => serviceRequest(i, pin));
      const straight = allocateAll(requests, usable, new Occupancy());
      expect(allocateAll(requests, usable.toReversed(), new Occupancy())).toEqual(straight);
    }),
  );
});

it("a Service keeps its addresses when asked again, whatever others hold by then", () => {
  fc.assert(
    fc.property(crowdedPools, pins, (inputs, pinned) => {
      const { usable } = usablePools(inputs);
      const occupancy = new Occupancy();
      const served = allocateAll(
        pinned.map((pin, i) => serviceRequest(i, pin)),
        usable,
        occupancy,
      );
      for (const request of served.filter(({ held }) => held.length > 0)) {
        expect(allocate(request, { pools: usable, occupancy })).toMatchObject({ value: { addresses: request.held } });
      }
    }),
  );
});

it("a Service waits for want of room only when no pool that serves it has any", () => {
  fc.assert(
    fc.property(crowdedPools, pins, (inputs, pinned) => {
      const { usable } = usablePools(inputs);
      const occupancy = new Occupancy();
      allocateAll(
        pinned.map((pin, i) => serviceRequest(i, pin)),
        usable,
        occupancy,
      );
      const result = allocate(serviceRequest(999, undefined), { pools: usable, occupancy });
      const hasRoom = usable
        .filter((pool) => pool.autoAssign)
        .some((pool) => pool.ranges.some((range) => occupancy.lowestFree(range, pool.avoidBuggyIps) !== undefined));
      expect(result.ok).toBe(hasRoom);
    }),
  );
});
