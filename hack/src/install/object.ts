/** Kubernetes objects as plain values: what all ways in are made of. */
import { parseAllDocuments, stringify } from "yaml";
import { pickText } from "../lab/json.ts";

/** Any value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** An object of it. */
export type JsonObject = { readonly [field: string]: Json };

/** A value without its types; what JSON can't hold is dropped. */
export const toJson = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

/** As kubectl reads YAML: `0400` is octal, and `yes` is no text. */
const KUBERNETES = { version: "1.1" } as const;

/** The objects in a file of YAML documents; throws where it is none. */
export const parseObjects = (text: string): readonly JsonObject[] =>
  parseAllDocuments(text, KUBERNETES)
    .map((document) => {
      for (const error of document.errors) throw error;
      return document.toJS() as JsonObject | null;
    })
    .filter((object) => object !== null);

/** Objects as YAML documents, each line as it comes. */
export const printObjects = (objects: readonly JsonObject[]): string =>
  objects
    .map((object) => stringify(object, { ...KUBERNETES, lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");

/** `Kind namespace/name`, by which objects are told apart. */
export function nameOf(object: JsonObject): string {
  const [namespace, name] = [pickText(object, "metadata", "namespace"), pickText(object, "metadata", "name")];
  return `${pickText(object, "kind")} ${namespace === "" ? name : `${namespace}/${name}`}`;
}

/** A value with a part laid over it: objects are merged, lists by the `name` of their entries, all else replaced. */
export function overlay(whole: Json | undefined, part: Json): Json {
  if (isList(whole) && isList(part)) return overlayList(whole, part);
  if (!isObject(whole) || !isObject(part)) return part;
  const merged: Record<string, Json> = { ...whole };
  for (const [field, value] of Object.entries(part)) merged[field] = overlay(merged[field], value);
  return merged;
}

function overlayList(whole: readonly Json[], part: readonly Json[]): Json {
  const named = part.map((entry) => pickText(entry, "name"));
  if (named.includes("")) return part;
  const kept = whole.map((entry) => {
    const over = part[named.indexOf(pickText(entry, "name"))];
    return over === undefined ? entry : overlay(entry, over);
  });
  const present = new Set(whole.map((entry) => pickText(entry, "name")));
  return [...kept, ...part.filter((entry) => !present.has(pickText(entry, "name")))];
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Whether it is an object, neither list nor null. */
export const isObject = (value: Json | undefined): value is JsonObject =>
  value !== undefined && value !== null && typeof value === "object" && !isList(value);
