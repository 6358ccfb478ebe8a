/** Reading JSON of unknown shape; a problem is the path where the shape is not the expected one. */
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** Reads a value that stands at a path; errs with the path of what is wrong. */
export type Reader<T> = (value: unknown, path: string) => Result<T, string>;

/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The JSON value that the text is; any text is safe. */
export function parseJson(text: string): Result<unknown, undefined> {
  try {
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch {
    return err(undefined);
  }
}

/** The value as an object. */
export const record: Reader<Fields> = (value, path) => (isFields(value) ? ok(value) : err(path));

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value as a list whose items all read. */
export function list<T>(value: unknown, path: string, read: Reader<T>): Result<readonly T[], string> {
  if (!Array.isArray(value)) return err(path);
  const items: readonly unknown[] = value;
  const result: T[] = [];
  for (const [index, item] of items.entries()) {
    const parsed = read(item, `${path}[${String(index)}]`);
    if (!parsed.ok) return parsed;
    result.push(parsed.value);
  }
  return ok(result);
}

/** The text in a field. */
export function textAt(fields: Fields, field: string, path: string): Result<string, string> {
  const value = fields[field];
  return typeof value === "string" ? ok(value) : err(`${path}.${field}`);
}

/** The finite number in a field. */
export function numberAt(fields: Fields, field: string, path: string): Result<number, string> {
  const value = fields[field];
  return typeof value === "number" ? ok(value) : err(`${path}.${field}`);
}

/** Whether two values are the same as JSON, whatever the order of fields. */
export const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a, inOrder) === JSON.stringify(b, inOrder);

const inOrder = (_: string, value: unknown): unknown =>
  isFields(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;
