/** Reading values out of JSON nobody vouches for. */

/** The value found by following `path`, or undefined where it ends early. */
export function pick(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    at = typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined;
  }
  return at;
}

/** The list found by following `path`, empty when there is none. */
export function pickList(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found: unknown = pick(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The text found by following `path`, empty when there is none. */
export function pickText(value: unknown, ...path: readonly (string | number)[]): string {
  const found = pick(value, ...path);
  return typeof found === "string" ? found : "";
}

/** The number found by following `path`, or undefined. */
export function pickNumber(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = pick(value, ...path);
  return typeof found === "number" ? found : undefined;
}
