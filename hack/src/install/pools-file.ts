/** A file of pools and advertisements, read and judged before anything is installed, by the rules of the operator. */
import { readFileSync } from "node:fs";
import { parseAdvertisement } from "../../../core/announce/advertisement.ts";
import { explain } from "../../../core/explain.ts";
import { findOverlap } from "../../../core/pool/overlap.ts";
import { parsePool, type Pool } from "../../../core/pool/pool.ts";
import { pickText } from "../lab/json.ts";
import { Stop } from "./kubectl.ts";
import { nameOf, parseObjects, type JsonObject } from "./object.ts";

/** The objects of the file; {@link Stop} with the first thing that is wrong. */
export function readPoolsFile(path: string): readonly JsonObject[] {
  return checkPools(path, parsed(path));
}

function parsed(path: string): readonly JsonObject[] {
  try {
    return parseObjects(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    throw new Stop(
      `pool file "${path}" can't be read (${reason ?? ""}); give a YAML file with IPAddressPools and L2Advertisements`,
    );
  }
}

/** The objects, when they are sound by themselves and with one another. */
export function checkPools(path: string, objects: readonly JsonObject[]): readonly JsonObject[] {
  if (objects.length === 0) throw new Stop(`pool file "${path}" holds no objects; give at least one IPAddressPool`);
  const pools: Pool[] = [];
  for (const object of objects) {
    const fault = faultOf(object, pools);
    if (fault !== undefined) throw new Stop(`pool file "${path}": ${fault}`);
  }
  if (pools.length === 0) throw new Stop(`pool file "${path}" holds no IPAddressPool; give at least one`);
  return objects;
}

function faultOf(object: JsonObject, pools: Pool[]): string | undefined {
  const [apiVersion, kind] = [pickText(object, "apiVersion"), pickText(object, "kind")];
  if (kind === "Namespace") return undefined;
  if (apiVersion !== "metallb.io/v1beta1" || (kind !== "IPAddressPool" && kind !== "L2Advertisement")) {
    return `${nameOf(object)} of ${apiVersion === "" ? "no apiVersion" : apiVersion} is no pool; write IPAddressPools and L2Advertisements of metallb.io/v1beta1`;
  }
  if (kind === "L2Advertisement") {
    const advertisement = parseAdvertisement(object);
    return advertisement.ok ? undefined : explain(advertisement.error);
  }
  const pool = parsePool(object);
  if (!pool.ok) return explain(pool.error);
  const overlap = findOverlap(pool.value, pools);
  pools.push(pool.value);
  return overlap === undefined ? undefined : explain(overlap);
}

/** The namespaces that the objects are in. */
export const namespacesOf = (objects: readonly JsonObject[]): readonly string[] => [
  ...new Set(objects.map((object) => pickText(object, "metadata", "namespace")).filter((name) => name !== "")),
];
