/** The two annotations of a node's Leases as text: the operator's plan, the announcer's status. */
import { printAddress } from "../address/address.ts";
import { countRange, parseRange, type Range } from "../address/range.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Fields, Reader } from "../json.ts";
import { list, numberAt, parseJson, record, textAt } from "../json.ts";
import type { NodePlan, Vip } from "./plan-types.ts";

/** A plan as it stands in one Lease; `generation` grows with each change of the node's plan. */
export type Plan = NodePlan & {
  readonly generation: number;
  /** How many Leases hold the node's plan, where that is more than one; on the first one only. */
  readonly shards?: number | undefined;
  /** Which of them this is, from 1; on all but the first one. */
  readonly shard?: number | undefined;
};

/** What an announcer reports: the plan it acts on, what it answers for and where, and what it does not and why. */
export type AnnouncerStatus = {
  readonly generation: number;
  readonly answering: readonly {
    readonly ips: readonly string[];
    readonly interfaces: readonly AnsweringInterface[];
  }[];
  readonly silent: readonly { readonly ips: readonly string[]; readonly reason: string }[];
  /** The interfaces that it could answer on when they are up; absent where it does not know them. */
  readonly interfaces?: readonly string[] | undefined;
};

/** An interface that answers, and by which hardware address. */
export type AnsweringInterface = { readonly name: string; readonly mac: string };

/** Why a text is no plan or status; `path` says where. */
export type PlanTextProblem =
  | { readonly kind: "notJson" }
  | { readonly kind: "unknownVersion"; readonly version: string }
  | { readonly kind: "badShape"; readonly path: string };

/** The version of both annotations' shape that this code writes and reads. */
const VERSION = 1;

/**
 * How long a plan may be in one Lease, in bytes. All annotations of an object together may have 256 KiB; the announcer's
 * status, in the first Lease of a node, may have the greater half of that.
 */
export const SHARD_BYTES = 100 * 1024;

/**
 * The plan as compact JSON, one text for each Lease, the first one's first; the addresses keep their order. Each text says
 * itself which rebalancing its addresses have followed, since Leases are written, found and lost one by one.
 */
export function printPlan(generation: number, plan: NodePlan, shardBytes = SHARD_BYTES): readonly string[] {
  const tail = Object.keys(plan.rebalanced).length > 0 ? { rebalanced: plan.rebalanced } : {};
  // However much is to be said of pools, addresses get half of each Lease: else there would be one Lease for each of them.
  const room = Math.max(shardBytes / 2, shardBytes - Buffer.byteLength(JSON.stringify(tail)));
  const shards = split(plan.vips.map(printVip), room);
  return shards.map((vips, shard) => {
    const head = shard === 0 ? { shards: shards.length > 1 ? shards.length : undefined } : { shard };
    const fields = JSON.stringify({ v: VERSION, generation, ...head, ...tail });
    return `${fields.slice(0, -1)},"vips":[${vips.join(",")}]}`;
  });
}

const printVip = ({ ip, nodes, interfaces, moving }: Vip): string => JSON.stringify({ ip, nodes, interfaces, moving });

/** In their order, as many to a shard as fit; one shard at least. */
function split(vips: readonly string[], shardBytes: number): readonly (readonly string[])[] {
  const shards: string[][] = [[]];
  let bytes = 0;
  for (const vip of vips) {
    const length = Buffer.byteLength(vip) + 1;
    if (bytes > 0 && bytes + length > shardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(vip);
    bytes += length;
  }
  return shards;
}

/** The plan that printPlan printed into one Lease; unknown fields are left out, any text is safe. */
export const parsePlan = (text: string): Result<Plan, PlanTextProblem> => parseVersioned(text, readPlan);

/** The status an announcer wrote; unknown fields are left out, any text is safe. */
export const parseStatus = (text: string): Result<AnnouncerStatus, PlanTextProblem> => parseVersioned(text, readStatus);

function parseVersioned<T>(text: string, read: Reader<T>): Result<T, PlanTextProblem> {
  const json = parseJson(text);
  if (!json.ok) return err({ kind: "notJson" });
  const fields = record(json.value, "");
  if (!fields.ok) return err({ kind: "badShape", path: fields.error });
  const version = fields.value["v"];
  if (version === undefined) return err({ kind: "badShape", path: ".v" });
  if (version !== VERSION) return err({ kind: "unknownVersion", version: JSON.stringify(version) });
  const value = read(json.value, "");
  return value.ok ? value : err({ kind: "badShape", path: value.error });
}

const readPlan: Reader<Plan> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const generation = numberAt(fields.value, "generation", path);
  if (!generation.ok) return generation;
  const vips = list(fields.value["vips"], `${path}.vips`, readVip);
  if (!vips.ok) return vips;
  const rebalanced = readTexts(fields.value["rebalanced"] ?? {}, `${path}.rebalanced`);
  if (!rebalanced.ok) return rebalanced;
  return ok({
    generation: generation.value,
    vips: vips.value,
    rebalanced: rebalanced.value,
    shards: wholeAt(fields.value, "shards"),
    shard: wholeAt(fields.value, "shard"),
  });
};

/** A count that is there and makes sense; anything else says nothing. */
function wholeAt(fields: Fields, field: string): number | undefined {
  const value = fields[field];
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}

const readTexts: Reader<Readonly<Record<string, string>>> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const texts: [string, string][] = [];
  for (const name of Object.keys(fields.value)) {
    const text = textAt(fields.value, name, path);
    if (!text.ok) return text;
    texts.push([name, text.value]);
  }
  return ok(Object.fromEntries(texts));
};

const readVip: Reader<Vip> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const ip = textAt(fields.value, "ip", path);
  if (!ip.ok) return ip;
  const nodes = list(fields.value["nodes"], `${path}.nodes`, readText);
  if (!nodes.ok) return nodes;
  const moving = fields.value["moving"] === true ? ({ moving: true } as const) : {};
  if (fields.value["interfaces"] === undefined) return ok({ ip: ip.value, nodes: nodes.value, ...moving });
  const interfaces = list(fields.value["interfaces"], `${path}.interfaces`, readText);
  return interfaces.ok ? ok({ ip: ip.value, nodes: nodes.value, interfaces: interfaces.value, ...moving }) : interfaces;
};

const readStatus: Reader<AnnouncerStatus> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const generation = numberAt(fields.value, "generation", path);
  if (!generation.ok) return generation;
  const written = list(fields.value["answering"] ?? [], `${path}.answering`, readAnswering);
  if (!written.ok) return written;
  const answering = spread(written.value, `${path}.answering`);
  if (!answering.ok) return answering;
  const silent = list(fields.value["silent"] ?? [], `${path}.silent`, readSilent);
  if (!silent.ok) return silent;
  const all = { generation: generation.value, answering: answering.value, silent: silent.value };
  if (fields.value["interfaces"] === undefined) return ok(all);
  const interfaces = list(fields.value["interfaces"], `${path}.interfaces`, readText);
  return interfaces.ok ? ok({ ...all, interfaces: interfaces.value }) : interfaces;
};

const readAnswering: Reader<AnnouncerStatus["answering"][number]> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const ips = readIps(fields.value, path);
  if (!ips.ok) return ips;
  const interfaces = list(fields.value["interfaces"] ?? [], `${path}.interfaces`, readInterface);
  return interfaces.ok ? ok({ ips: ips.value, interfaces: interfaces.value }) : interfaces;
};

/** How many addresses the ranges of a status may stand for; more than any node answers for, and soon listed. */
const SPREAD_CAPACITY = 65_536n;

type Answering = AnnouncerStatus["answering"];

/** Where the list would be long, addresses that follow one another are written as a range, such as `10.0.0.1-10.0.0.9`. */
function spread(written: Answering, path: string): Result<Answering, string> {
  let room = SPREAD_CAPACITY;
  const groups: Answering[number][] = [];
  for (const [index, { ips, interfaces }] of written.entries()) {
    const all: string[] = [];
    for (const text of ips) {
      const range = text.includes("-") ? parseRange(text) : undefined;
      if (range === undefined) {
        all.push(text);
        continue;
      }
      if (range.ok) room -= countRange(range.value);
      if (!range.ok || room < 0n) return err(`${path}[${String(index)}].ips`);
      all.push(...listRange(range.value));
    }
    groups.push({ ips: all, interfaces });
  }
  return ok(groups);
}

function* listRange({ first, last }: Range): Iterable<string> {
  for (let { value } = first; value <= last.value; value += 1n) yield printAddress({ ...first, value });
}

const readText: Reader<string> = (value, path) => (typeof value === "string" ? ok(value) : err(path));

const readSilent: Reader<AnnouncerStatus["silent"][number]> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const isCounted = fields.value["ip"] === undefined && fields.value["ips"] === undefined;
  const ips = isCounted ? ok([]) : readIps(fields.value, path);
  if (!ips.ok) return ips;
  const reason = textAt(fields.value, "reason", path);
  return reason.ok ? ok({ ips: ips.value, reason: reason.value }) : reason;
};

/** One address, or several that have the rest of the entry in common. */
function readIps(fields: Fields, path: string): Result<readonly string[], string> {
  if (fields["ips"] !== undefined) return list(fields["ips"], `${path}.ips`, readText);
  const ip = textAt(fields, "ip", path);
  return ip.ok ? ok([ip.value]) : ip;
}

const readInterface: Reader<AnsweringInterface> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const name = textAt(fields.value, "name", path);
  if (!name.ok) return name;
  const mac = textAt(fields.value, "mac", path);
  return mac.ok ? ok({ name: name.value, mac: mac.value }) : mac;
};

/** The generation of a printed plan, 0 where the text is none; quick, since plans are long. */
export function generationOf(text: string): number {
  const [, generation] = PRINTED.exec(text) ?? [];
  return generation === undefined ? 0 : Number(generation);
}

const PRINTED = /^\{"v":1,"generation":(\d{1,15})[,}]/;
