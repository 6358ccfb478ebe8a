/** The two annotations of a node's Lease as text: the operator's plan, the announcer's status. */
import { compareAddresses, parseAddress } from "../address/address.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Reader } from "../json.ts";
import { list, numberAt, parseJson, record, textAt } from "../json.ts";
import type { Vip } from "./plan-types.ts";

/** A plan as it stands in the annotation; `generation` grows with each change of it. */
export type Plan = { readonly generation: number; readonly vips: readonly Vip[] };

/** What an announcer reports: the plan it acts on, what it answers for and where, and what it does not and why. */
export type AnnouncerStatus = {
  readonly generation: number;
  readonly answering: readonly { readonly ip: string; readonly interfaces: readonly AnsweringInterface[] }[];
  readonly silent: readonly { readonly ip: string; readonly reason: string }[];
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

/** The plan as compact JSON, its addresses sorted; equal plans print equally. */
export function printPlan(generation: number, vips: readonly Vip[]): string {
  const sorted = vips.toSorted((a, b) => compareIps(a.ip, b.ip));
  const inOrder = sorted.map(({ ip, nodes, interfaces }) => ({ ip, nodes, interfaces }));
  return JSON.stringify({ v: VERSION, generation, vips: inOrder });
}

function compareIps(a: string, b: string): number {
  const [left, right] = [parseAddress(a), parseAddress(b)];
  return left.ok && right.ok ? compareAddresses(left.value, right.value) : Number(right.ok) - Number(left.ok);
}

/** The plan that printPlan printed; unknown fields are left out, any text is safe. */
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
  return vips.ok ? ok({ generation: generation.value, vips: vips.value }) : vips;
};

const readVip: Reader<Vip> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const ip = textAt(fields.value, "ip", path);
  if (!ip.ok) return ip;
  const nodes = list(fields.value["nodes"], `${path}.nodes`, readText);
  if (!nodes.ok) return nodes;
  if (fields.value["interfaces"] === undefined) return ok({ ip: ip.value, nodes: nodes.value });
  const interfaces = list(fields.value["interfaces"], `${path}.interfaces`, readText);
  return interfaces.ok ? ok({ ip: ip.value, nodes: nodes.value, interfaces: interfaces.value }) : interfaces;
};

const readStatus: Reader<AnnouncerStatus> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const generation = numberAt(fields.value, "generation", path);
  if (!generation.ok) return generation;
  const answering = list(fields.value["answering"] ?? [], `${path}.answering`, readAnswering);
  if (!answering.ok) return answering;
  const silent = list(fields.value["silent"] ?? [], `${path}.silent`, readSilent);
  if (!silent.ok) return silent;
  return ok({ generation: generation.value, answering: answering.value, silent: silent.value });
};

const readAnswering: Reader<AnnouncerStatus["answering"][number]> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const ip = textAt(fields.value, "ip", path);
  if (!ip.ok) return ip;
  const interfaces = list(fields.value["interfaces"] ?? [], `${path}.interfaces`, readInterface);
  return interfaces.ok ? ok({ ip: ip.value, interfaces: interfaces.value }) : interfaces;
};

const readText: Reader<string> = (value, path) => (typeof value === "string" ? ok(value) : err(path));

const readSilent: Reader<AnnouncerStatus["silent"][number]> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const ip = textAt(fields.value, "ip", path);
  if (!ip.ok) return ip;
  const reason = textAt(fields.value, "reason", path);
  return reason.ok ? ok({ ip: ip.value, reason: reason.value }) : reason;
};

const readInterface: Reader<AnsweringInterface> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const name = textAt(fields.value, "name", path);
  if (!name.ok) return name;
  const mac = textAt(fields.value, "mac", path);
  return mac.ok ? ok({ name: name.value, mac: mac.value }) : mac;
};
