/** The objects of an installation as they are in the cluster, without what the cluster itself or a way in writes on each. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT } from "../../hack/src/build.ts";
import { nameOf, parseObjects, type Json, type JsonObject } from "../../hack/src/install/object.ts";
import { pluralOf } from "../../hack/src/install/rights.ts";
import { pickText } from "../../hack/src/lab/json.ts";
import { root, type Target } from "../../hack/src/target.ts";

/** Fields that differ from one cluster, or one writing, to the next. */
const CHANCE = new Set(["status", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"]);
const ADDRESSES = new Set(["clusterIP", "clusterIPs"]);
/** Annotations and labels by which a way in knows its own. */
const MARKS =
  /^(kubectl\.kubernetes\.io\/|meta\.helm\.sh\/|app\.kubernetes\.io\/managed-by$|deployment\.kubernetes\.io\/|deprecated\.daemonset)/;

/** By name, what is there of all that the rendered file lists; rejects where one of them is missing. */
export async function liveObjects({ json }: Target): Promise<ReadonlyMap<string, JsonObject>> {
  const listed = parseObjects(readFileSync(join(root, BUILT.rendered), "utf8"));
  const found = new Map<string, JsonObject>();
  for (const object of listed) {
    const namespace = pickText(object, "metadata", "namespace");
    const [group = "", version] = pickText(object, "apiVersion").split("/");
    const plural = pluralOf(pickText(object, "kind"));
    const resource = version === undefined ? plural : `${plural}.${group}`;
    const where = namespace === "" ? [] : ["-n", namespace];
    const live = (await json(["get", resource, pickText(object, "metadata", "name"), ...where])) as JsonObject;
    found.set(nameOf(object), settled(live) as JsonObject);
  }
  return found;
}

/** A value without fields of chance; maps that are empty then count as missing. */
function settled(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(settled);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value as JsonObject)
    .filter(([field]) => !CHANCE.has(field) && !ADDRESSES.has(field) && !MARKS.test(field))
    .map(([field, part]): [string, Json] => [
      field,
      field === "caBundle" || field === "path" ? secret(part) : settled(part),
    ]);
  return Object.fromEntries(
    entries.filter(
      ([field, part]) => !["annotations", "labels"].includes(field) || Object.keys(part as object).length > 0,
    ),
  );
}

/** Whether it is there is what counts. */
const secret = (part: Json): Json =>
  typeof part === "string" ? part.replace(/[0-9a-f]{64}|[A-Za-z0-9+/=]{100,}/, "SECRET") : settled(part);
