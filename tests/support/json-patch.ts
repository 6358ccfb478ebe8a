/** The two ways in which the API server lays one object over another: merge patch, and apply by field owner. */

/** Any JSON object. */
export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** JSON merge patch (RFC 7396): null takes a field away, an array replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, field);
    else result[field] = mergePatch(result[field], value);
  }
  return result;
}

/** Lists that the API server merges by the elements' names; all others are replaced whole. */
const NAMED_LISTS: ReadonlySet<string> = new Set(["webhooks"]);
const NAMED = "name=";

/** The leaves of what somebody applies, as JSON-encoded paths. */
export function leavesOf(value: unknown, path: readonly string[] = []): readonly (readonly [string, unknown])[] {
  if (isObject(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([field, inner]) => leavesOf(inner, [...path, field]));
  }
  if (Array.isArray(value) && NAMED_LISTS.has(path.at(-1) ?? "")) {
    return value.flatMap((element: Json) => leavesOf(element, [...path, `${NAMED}${String(element["name"])}`]));
  }
  return [[JSON.stringify(path), value]];
}

/** Sets a leaf, or takes it away where `value` is undefined; changes the object. */
export function setLeaf(object: Json, leaf: string, value: unknown): void {
  const path: readonly string[] = JSON.parse(leaf) as readonly string[];
  const last = path.at(-1) ?? "";
  let parent: Json = object;
  for (const [index, step] of path.slice(0, -1).entries()) parent = stepInto(parent, step, path[index + 1] ?? "");
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
}

function stepInto(parent: Json | Json[], step: string, next: string): Json {
  if (Array.isArray(parent)) {
    const name = step.slice(NAMED.length);
    const found = parent.find((element) => element["name"] === name);
    if (found !== undefined) return found;
    const made: Json = { name };
    parent.push(made);
    return made;
  }
  parent[step] ??= next.startsWith(NAMED) ? [] : {};
  return parent[step] as Json;
}

/** The value as text with all fields in order and absent ones left out, so that equal objects print equally. */
export function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
