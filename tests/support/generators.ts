/** fast-check generators of core's values, and of texts that nearly are some. */
import fc from "fast-check";
import type { Address, Family } from "../../core/address/address.ts";
import type { Range } from "../../core/address/range.ts";
import type { PoolInput } from "../../core/pool/pool.ts";

/** Addresses of that family as parseAddress can give them: no IPv4-mapped ones. */
export const addressOf = (family: Family): fc.Arbitrary<Address> => {
  const value =
    family === "IPv4"
      ? fc.bigInt({ min: 0n, max: 2n ** 32n - 1n })
      : fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), sparse).filter((v) => v >> 32n !== 0xffffn);
  return value.map((v) => ({ family, value: v }));
};

/** 128-bit numbers with runs of zero groups, which RFC 5952 shortens. */
const sparse = fc
  .array(fc.constantFrom(0n, 0n, 1n, 0xabcn, 0xffffn), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce<bigint>((value, group) => (value << 16n) | group, 0n));

/** Addresses of both families. */
export const anyAddress = fc.oneof(addressOf("IPv4"), addressOf("IPv6"));

/** Ranges of both families that hold no IPv4-mapped address at an end. */
export const anyRange: fc.Arbitrary<Range> = fc
  .constantFrom<Family>("IPv4", "IPv6")
  .chain((family) =>
    fc
      .tuple(addressOf(family), addressOf(family))
      .map(([a, b]) => (a.value <= b.value ? { first: a, last: b } : { first: b, last: a })),
  );

/** Texts of the letters that addresses, ranges and lists are made of, and any other text. */
export const nearlyAddress = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdef.:/-%, ")), maxLength: 40 }),
  fc.string({ unit: "binary" }),
);

/** Addresses of a few small networks, so that they meet. */
export const crowdedAddress: fc.Arbitrary<Address> = fc
  .tuple(fc.constantFrom<Family>("IPv4", "IPv6"), fc.nat({ max: 600 }))
  .map(([family, offset]) => ({ family, value: 0x0a00_0000n + BigInt(offset) }));

/** Pools of 10.0.0.0/16 that may overlap, with all the settings that order them. */
export const crowdedPool = (index: number): fc.Arbitrary<PoolInput> =>
  fc
    .record({
      block: fc.nat({ max: 20 }),
      autoAssign: fc.boolean(),
      avoidBuggyIPs: fc.boolean(),
      priority: fc.option(fc.integer({ min: -1, max: 3 }), { nil: undefined }),
      created: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", undefined),
      namespace: fc.constantFrom("network", "lab"),
    })
    .map(({ block, autoAssign, avoidBuggyIPs, priority, created, namespace }) => ({
      metadata: { name: `pool-${String(index)}`, namespace, creationTimestamp: created },
      spec: {
        addresses: [`10.0.${String(block)}.250-10.0.${String(block + 1)}.3`],
        autoAssign,
        avoidBuggyIPs,
        serviceAllocation: priority === undefined ? undefined : { priority },
      },
    }));

/** Some pools, each of another name. */
export const crowdedPools: fc.Arbitrary<readonly PoolInput[]> = fc
  .nat({ max: 6 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => crowdedPool(index))));
