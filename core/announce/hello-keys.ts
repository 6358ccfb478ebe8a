/** When the keys by which announcers know each other change, so that whichever of them signs is known to all of them. */
import { keys } from "../keys.ts";

/** The keys by the name that they have in the Secret; what they are does not matter here. */
export type HelloKeys = Readonly<Record<string, string>>;

/** What there is: the Secret's data, and the keys that it is known to have held. */
export type Holdings = { readonly found: HelloKeys; readonly known: HelloKeys };

/** What becomes of the Secret's data: a name to add, keys to put back, names to take out; undefined where nothing does. */
export type Rotation = {
  readonly add: string | undefined;
  readonly restore: HelloKeys;
  readonly remove: readonly string[];
};

/**
 * How many keys there are at most. Announcers sign with the second newest, and a change comes to one node later than to
 * another: so the one that signs is known where the newest has yet to come, and the one before it where they sign with it still.
 */
const KEPT = 3;
/** The least time between two new keys, in seconds: by then every node whose kubelet works has had the first for long. */
const LEAST_SECONDS = 3_600;
const NAME = new RegExp(`^${keys.helloKeyPrefix}([1-9]\\d{0,15})$`);
/** Length of a key of 32 bytes in base64. */
const KEY_LENGTH = 44;

/**
 * What is to change. A key is named by the second in which it was made, so that the names grow and tell its age. A new one is
 * made where there is none, or where the newest is older than the period; then the two before stay, and older ones go. A key
 * that somebody took out or damaged is put back. Where all of them are gone that is a rotation, too: there is a new one.
 */
export function rotate({ found, known }: Holdings, nowSeconds: number, periodSeconds: number): Rotation | undefined {
  const sound = soundKeys(found);
  const all = { ...known, ...sound };
  const times = Object.keys(all)
    .flatMap((name) => madeAt(name) ?? [])
    .toSorted((a, b) => b - a);
  const [newest] = times;
  const ageSeconds = Object.keys(sound).length === 0 ? LEAST_SECONDS : Math.max(periodSeconds, LEAST_SECONDS);
  const isDue = newest === undefined || nowSeconds - newest >= ageSeconds;
  const added = isDue ? [Math.max(nowSeconds, (newest ?? 0) + 1)] : [];
  const kept = new Set([...added, ...times].slice(0, KEPT).map(nameOf));
  const restore = Object.fromEntries(Object.entries(all).filter(([name]) => kept.has(name) && !(name in sound)));
  const remove = Object.keys(found).filter((name) => name.startsWith(keys.helloKeyPrefix) && !kept.has(name));
  const [add] = added.map(nameOf);
  const isNothing = add === undefined && remove.length === 0 && Object.keys(restore).length === 0;
  return isNothing ? undefined : { add, restore, remove };
}

/** What of the Secret's data is a key. */
export function soundKeys(data: HelloKeys): HelloKeys {
  const entries = Object.entries(data);
  return Object.fromEntries(entries.filter(([name, key]) => key.length === KEY_LENGTH && madeAt(name) !== undefined));
}

const nameOf = (madeAtSeconds: number): string => `${keys.helloKeyPrefix}${String(madeAtSeconds)}`;

function madeAt(name: string): number | undefined {
  const [, seconds] = NAME.exec(name) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
