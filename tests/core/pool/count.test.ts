import fc from "fast-check";
import { expect, it, test } from "vitest";
import { isBuggyAddress } from "../../../core/address/address.ts";
import { countPool, countUsable, MAX_COUNT, toStatusCount } from "../../../core/pool/count.ts";
import { poolFrom } from "../builders.ts";

// the first five as MetalLB's own counters say, the rest where those overflow
test.each([
  { addresses: ["1.2.3.0/24"], avoid: false, v4: 256n, v6: 0n },
  { addresses: ["1.2.3.0/24", "2.3.4.128/25"], avoid: false, v4: 384n, v6: 0n },
  { addresses: ["1.2.3.0/24", "2.3.4.128/25"], avoid: true, v4: 381n, v6: 0n },
  { addresses: ["1.2.3.0/24", "2.3.4.128/25", "1000::/64"], avoid: true, v4: 381n, v6: MAX_COUNT },
  { addresses: ["1.2.3.0/31", "1000::/127"], avoid: true, v4: 1n, v6: 2n },
  { addresses: ["1000::/64", "2000::/120"], avoid: false, v4: 0n, v6: MAX_COUNT },
  { addresses: ["10.0.0.0/8"], avoid: true, v4: 2n ** 24n - 2n ** 17n, v6: 0n },
])("countPool of $addresses, avoiding buggy ones $avoid, is $v4 and $v6", ({ addresses, avoid, v4, v6 }) => {
  expect(countPool(poolFrom("lan", addresses, { avoidBuggyIPs: avoid }))).toEqual({ IPv4: v4, IPv6: v6 });
});

it("countUsable counts what is not buggy one by one", () => {
  fc.assert(
    fc.property(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), (start, length) => {
      const address = (offset: number) => ({ family: "IPv4" as const, value: 0x0a00_0000n + BigInt(offset) });
      const all = Array.from({ length: length + 1 }, (_, i) => address(start + i));
      const usable = all.filter((one) => !isBuggyAddress(one)).length;
      expect(countUsable({ first: address(start), last: address(start + length) }, true)).toBe(BigInt(usable));
    }),
  );
});

test.each([
  [0n, 0],
  [21n, 21],
  [2n ** 53n - 1n, 9_007_199_254_740_991],
  [MAX_COUNT, 2 ** 63],
  [2n ** 64n, 2 ** 63],
])("toStatusCount of %d is %d", (count, number) => {
  expect(toStatusCount(count)).toBe(number);
});
