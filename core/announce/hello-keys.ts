/** When the keys by which announcers know each other change, so that the old and the new one are both known for long. */
import { keys } from "../keys.ts";

/** The keys by the name that they have in the Secret; what they are does not matter here. */
export type HelloKeys = Readonly<Record<string, string>>;

/** What becomes of the Secret's data: names to add and to take out; undefined where nothing does. */
export type Rotation = { readonly add: string | undefined; readonly remove: readonly string[] };

/** How many keys there are at most: the newest, and the one that it followed. */
const KEPT = 2;
const NAME = new RegExp(`^${keys.helloKeyPrefix}([1-9]\\d{0,15})$`);
/** Length of a key of 32 bytes in base64. */
const KEY_LENGTH = 44;

/**
 * What is to change. A key is named by the second in which it was made, so that the names grow and tell its age. A new one is
 * made where there is none, or where the newest is older than the period; then the one before stays, and older ones go.
 */
export function rotate(found: HelloKeys, nowSeconds: number, periodSeconds: number): Rotation | undefined {
  const times = Object.entries(found)
    .filter(([, key]) => key.length === KEY_LENGTH)
    .flatMap(([name]) => madeAt(name) ?? [])
    .toSorted((a, b) => b - a);
  const [newest] = times;
  const isDue = newest === undefined || nowSeconds - newest >= periodSeconds;
  const added = isDue ? [Math.max(nowSeconds, (newest ?? 0) + 1)] : [];
  const kept = new Set([...added, ...times].slice(0, KEPT).map(nameOf));
  const remove = Object.keys(found).filter((name) => name.startsWith(keys.helloKeyPrefix) && !kept.has(name));
  const [add] = added.map(nameOf);
  return add === undefined && remove.length === 0 ? undefined : { add, remove };
}

const nameOf = (madeAtSeconds: number): string => `${keys.helloKeyPrefix}${String(madeAtSeconds)}`;

function madeAt(name: string): number | undefined {
  const [, seconds] = NAME.exec(name) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
