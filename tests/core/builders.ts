/** Builders of core values from the texts people write; they show only what matters. */
import { expect } from "vitest";
import type { Address } from "../../core/address/address.ts";
import { parseAddress } from "../../core/address/address.ts";
import type { Range } from "../../core/address/range.ts";
import { parseRange } from "../../core/address/range.ts";
import type { Holder } from "../../core/allocation/holder.ts";
import { Occupancy } from "../../core/allocation/occupancy.ts";
import type { ServiceInput, ServiceRequest } from "../../core/allocation/request.ts";
import { readRequest } from "../../core/allocation/request.ts";
import type { Pool, PoolInput, PoolSpec } from "../../core/pool/pool.ts";
import { parsePool } from "../../core/pool/pool.ts";
import type { Result } from "../../core/result.ts";

/** The value of a Result that must be good. */
export function valueOf<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  expect.fail(
    `refused: ${JSON.stringify(result.error, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))}`,
  );
}

/** The reason of a Result that must be bad. */
export function errorOf<E>(result: Result<unknown, E>): E {
  if (!result.ok) return result.error;
  expect.fail("not refused");
}

export const addressFrom = (text: string): Address => valueOf(parseAddress(text));
export const rangeFrom = (text: string): Range => valueOf(parseRange(text));

/** A pool "network/<name>" of these ranges. */
export const poolInput = (
  name: string,
  addresses: readonly string[],
  spec: Omit<PoolSpec, "addresses"> = {},
): PoolInput => ({
  metadata: { name, namespace: "network" },
  spec: { addresses, ...spec },
});

export const poolFrom = (...parts: Parameters<typeof poolInput>): Pool => valueOf(parsePool(poolInput(...parts)));

/** A LoadBalancer Service "default/web". */
export const serviceInput = (
  spec: NonNullable<ServiceInput["spec"]> = {},
  annotations: Readonly<Record<string, string>> = {},
): ServiceInput => ({
  metadata: { namespace: "default", name: "web", annotations },
  spec: { type: "LoadBalancer", ...spec },
});

/** What "default/web" asks for on a cluster of both families, IPv4 first. */
export const requestFrom = (
  parts: {
    spec?: NonNullable<ServiceInput["spec"]>;
    annotations?: Readonly<Record<string, string>>;
  } & Partial<ServiceRequest> = {},
): ServiceRequest => {
  const { spec, annotations, ...rest } = parts;
  const facts = { primaryFamily: "IPv4", secondaryFamily: "IPv6" } as const;
  return { ...valueOf(readRequest(serviceInput(spec, annotations), facts, {})), ...rest };
};

export const web: Holder = { kind: "service", namespace: "default", name: "web" };
export const other: Holder = { kind: "service", namespace: "default", name: "my-service" };

/** An index in which the other Service holds these addresses. */
export function occupancyOf(...texts: readonly string[]): Occupancy {
  const occupancy = new Occupancy();
  for (const text of texts) occupancy.take(addressFrom(text), other);
  return occupancy;
}
