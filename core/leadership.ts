/** Which of several watchers leads: by a Lease, and by a clock of this process that never jumps. */

/** After so long without a change to the Lease, whoever it names has gone; in milliseconds. */
const LAPSE_MILLIS = 7_000;
/** How often the leader writes the Lease anew, in milliseconds. */
const RENEW_MILLIS = 2_000;
/** For how long a leader relies on a write, counted from before it; a second less than the others wait, in milliseconds. */
const TRUST_MILLIS = 6_000;

/** What a watcher knows of the Lease; times are its own. */
export type Standing = {
  /** This watcher. */
  readonly identity: string;
  /** Whom the Lease names; undefined where it names nobody, or there is none. */
  readonly holder: string | undefined;
  /** When the Lease was last seen to change. */
  readonly seenMillis: number;
  /** When this watcher began the last write by which it came to be, or stayed, the holder. */
  readonly heldMillis: number | undefined;
};

/** How long until this watcher is to write its name into the Lease; nothing or less means now. */
export function writesInMillis({ identity, holder, seenMillis, heldMillis }: Standing, nowMillis: number): number {
  if (holder === undefined) return 0;
  if (holder !== identity) return seenMillis + LAPSE_MILLIS - nowMillis;
  return heldMillis === undefined ? 0 : heldMillis + RENEW_MILLIS - nowMillis;
}

/** For how long this watcher leads unless it writes again; nothing or less means that it doesn't. */
export function leadsForMillis({ identity, holder, heldMillis }: Standing, nowMillis: number): number {
  return holder === identity && heldMillis !== undefined ? heldMillis + TRUST_MILLIS - nowMillis : 0;
}
