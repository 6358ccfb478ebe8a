/** A pool read from its IPAddressPool; from then on the type is the proof that it is sound by itself. */
import type { Range } from "../address/range.ts";
import { parseRange, rangesOverlap } from "../address/range.ts";
import type { Labels, ListRefusal, Selector, SelectorInput, Subject } from "../labels.ts";
import { parseNames, parseSelectors } from "../labels.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import { countPool } from "./count.ts";
import type { PoolRefusal } from "./refusal.ts";
import { specialKind } from "./special.ts";
import { readSteering, type Steering } from "./steering.ts";

/** What core reads of an IPAddressPool; the generated CRD type fits it. */
export type PoolInput = {
  readonly metadata?: PoolMetadata | undefined;
  readonly spec?: PoolSpec | undefined;
};

/** The metadata core reads; `creationTimestamp` is a Date or an RFC 3339 text. */
export type PoolMetadata = {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly creationTimestamp?: Date | string | undefined;
  readonly uid?: string | undefined;
};

/** The spec of an IPAddressPool (metallb.io/v1beta1). */
export type PoolSpec = {
  readonly addresses?: readonly string[] | undefined;
  readonly autoAssign?: boolean | undefined;
  readonly avoidBuggyIPs?: boolean | undefined;
  readonly serviceAllocation?:
    | {
        readonly priority?: number | undefined;
        readonly namespaces?: readonly string[] | undefined;
        readonly namespaceSelectors?: readonly SelectorInput[] | undefined;
        readonly serviceSelectors?: readonly SelectorInput[] | undefined;
      }
    | undefined;
};

/** A sound pool; `key` is namespace/name, `ranges` stand in the order of the spec and never overlap. */
export type Pool = Steering & {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** When the pool was created, in milliseconds since 1970; infinite while that is not known, so it counts as newest. */
  readonly createdMillis: number;
  readonly ranges: readonly Range[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIps: boolean;
  /** Absent: the pool serves every Service, after all pools that have one. */
  readonly allocation: ServiceAllocation | undefined;
};

/** Whom the pool serves, and how early; each empty list sets no condition. */
export type ServiceAllocation = {
  readonly priority: number;
  readonly namespaces: readonly string[];
  readonly namespaceSelectors: readonly Selector[];
  readonly serviceSelectors: readonly Selector[];
};

/** namespace/name of the pool. */
export const poolKeyOf = (input: PoolInput): string =>
  `${input.metadata?.namespace ?? ""}/${input.metadata?.name ?? ""}`;

/** When the pool was created, in milliseconds since 1970; infinite where unknown. */
export function createdMillisOf(input: PoolInput): number {
  const created = input.metadata?.creationTimestamp;
  if (created === undefined) return Infinity;
  const millis = typeof created === "string" ? Date.parse(created) : created.getTime();
  return Number.isNaN(millis) ? Infinity : millis;
}

/** The pool, or the first thing in it that is wrong whatever else there is (behaviour of MetalLB, plus special ranges). */
export function parsePool(input: PoolInput): Result<Pool, PoolRefusal> {
  const key = poolKeyOf(input);
  const spec = input.spec ?? {};
  const ranges = parseRanges(key, spec.addresses ?? []);
  if (!ranges.ok) return ranges;
  const allocation = parseAllocation(key, spec.serviceAllocation);
  if (!allocation.ok) return allocation;
  const pool: Pool = {
    ...identityOf(input),
    ranges: ranges.value,
    autoAssign: spec.autoAssign ?? true,
    avoidBuggyIps: spec.avoidBuggyIPs ?? false,
    allocation: allocation.value,
    ...readSteering(input.metadata?.annotations ?? {}),
  };
  const size = countPool(pool);
  return size.IPv4 + size.IPv6 === 0n ? err({ kind: "noUsableAddress", pool: key }) : ok(pool);
}

/** The ranges that can be read, whatever else is wrong with the pool; they may overlap. */
export const readableRanges = ({ spec }: PoolInput): readonly Range[] =>
  (spec?.addresses ?? []).flatMap((entry) => {
    const range = parseRange(entry);
    return range.ok ? [range.value] : [];
  });

/** Who the pool is, sound or not. */
export function identityOf(input: PoolInput): Pick<Pool, "key" | "namespace" | "name" | "labels" | "createdMillis"> {
  const { namespace = "", name = "", labels = {} } = input.metadata ?? {};
  return { key: poolKeyOf(input), namespace, name, labels, createdMillis: createdMillisOf(input) };
}

function parseRanges(pool: string, entries: readonly string[]): Result<readonly Range[], PoolRefusal> {
  if (entries.length === 0) return err({ kind: "noAddresses", pool });
  const ranges: Range[] = [];
  for (const entry of entries) {
    const parsed = parseRange(entry);
    if (!parsed.ok) return err({ kind: "badRange", pool, entry, problem: parsed.error });
    const range = parsed.value;
    const special = specialKind(range);
    if (special !== undefined) return err({ kind: "specialRange", pool, entry, special });
    const earlier = ranges.find((other) => rangesOverlap(other, range));
    if (earlier !== undefined) return err({ kind: "selfOverlap", pool, range, earlier });
    ranges.push(range);
  }
  return ok(ranges);
}

function parseAllocation(
  key: string,
  input: PoolSpec["serviceAllocation"],
): Result<ServiceAllocation | undefined, ListRefusal> {
  if (input === undefined) return ok(undefined);
  const subject: Subject = { type: "IPAddressPool", key };
  const namespaces = parseNames(subject, "serviceAllocation.namespaces", input.namespaces);
  if (!namespaces.ok) return namespaces;
  const ofNamespaces = parseSelectors(subject, "serviceAllocation.namespaceSelectors", input.namespaceSelectors);
  if (!ofNamespaces.ok) return ofNamespaces;
  const ofServices = parseSelectors(subject, "serviceAllocation.serviceSelectors", input.serviceSelectors);
  if (!ofServices.ok) return ofServices;
  return ok({
    priority: input.priority ?? 0,
    namespaces: namespaces.value,
    namespaceSelectors: ofNamespaces.value,
    serviceSelectors: ofServices.value,
  });
}
