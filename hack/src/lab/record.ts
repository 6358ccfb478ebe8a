/** What a lab remembers on disk about itself: its shape and its processes. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { pick, pickList, pickNumber, pickText } from "./json.ts";
import type { Paths } from "./paths.ts";

/** A process, told from a later one with the same number by the time it started (clock ticks after boot). */
export type Part = { readonly name: string; readonly pid: number; readonly startTicks: number };

export type Shape = { readonly nodes: number; readonly ipv6: boolean; readonly audit: boolean };

export type LabRecord = {
  readonly shape: Shape;
  /** Loopback port of the host that leads to the API server. */
  readonly apiPort: number;
  /** Set once the lab has been up. */
  readonly ready: boolean;
  readonly parts: readonly Part[];
};

function parsePart(value: unknown): readonly Part[] {
  const pid = pickNumber(value, "pid");
  const startTicks = pickNumber(value, "startTicks");
  const name = pickText(value, "name");
  return pid === undefined || startTicks === undefined ? [] : [{ name, pid, startTicks }];
}

/** The record in `text`, or undefined when it is not one. */
export function parseRecord(text: string): LabRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const nodes = pickNumber(value, "shape", "nodes");
  const apiPort = pickNumber(value, "apiPort");
  if (nodes === undefined || apiPort === undefined) return undefined;
  return {
    shape: {
      nodes,
      ipv6: pick(value, "shape", "ipv6") === true,
      audit: pick(value, "shape", "audit") === true,
    },
    apiPort,
    ready: pick(value, "ready") === true,
    parts: pickList(value, "parts").flatMap(parsePart),
  };
}

/** The lab's record, or undefined when it has none that can be read. */
export function readRecord(paths: Paths): LabRecord | undefined {
  try {
    return parseRecord(readFileSync(paths.record, "utf8"));
  } catch {
    return undefined;
  }
}

/** Replaces the lab's record as a whole, so that a crash leaves the old one or the new one. */
export function writeRecord(paths: Paths, record: LabRecord): void {
  const next = `${paths.record}.next`;
  writeFileSync(next, JSON.stringify(record, undefined, 2));
  renameSync(next, paths.record);
}

/** The record with one part more; a part of the same name is replaced. */
export function withPart(record: LabRecord, part: Part): LabRecord {
  return { ...record, parts: [...record.parts.filter(({ name }) => name !== part.name), part] };
}

/** The record without the part of that name. */
export function withoutPart(record: LabRecord, name: string): LabRecord {
  return { ...record, parts: record.parts.filter((part) => part.name !== name) };
}
