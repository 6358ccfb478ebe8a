/** When a claim that no Service needs any more is given up. */

/** How long a claim may wait for the Service that it was made for, in milliseconds: the grace the API server gives its own. */
export const GRACE_MILLIS = 60_000;

/** How long an address that was given up waits for its Service to come back, in milliseconds: deleted and created again at once, it keeps it. */
export const LINGER_MILLIS = 2_000;

/** What is known of a claim and of a Service that it names. */
export type ClaimState = {
  /** Whether the Service is stored, and whether it lists the address as its own. */
  readonly service: "lists" | "other" | "absent";
  /** Whether the Service was stored, or deleted, after the last write to the claim. */
  readonly isSettled: boolean;
  /** For how long the claim and the Service have been known as they are, in milliseconds by a clock that does not jump. */
  readonly knownMillis: number;
};

/**
 * In how many milliseconds the Service's part in the claim may go; 0 or less is now, undefined never. A request that
 * made the claim may still be on its way to the store, unless the Service was written since: the API server then runs
 * admission anew for whatever was on its way, and that writes the claim.
 */
export function releaseInMillis({ service, isSettled, knownMillis }: ClaimState): number | undefined {
  if (service === "lists") return undefined;
  return (isSettled ? LINGER_MILLIS : GRACE_MILLIS) - knownMillis;
}

/** Since when an address rests by the clock that wrote it down, the time now, and for how long it was seen to rest. */
export type Rest = { readonly sinceMillis: number; readonly nowMillis: number; readonly knownMillis: number };

/**
 * In how many milliseconds a resting address may go, for a pool that has it rest for so long; 0 or less is now. It was
 * seen to rest by a clock that does not jump, so one that does, or a text that is no time, makes it rest only once more.
 */
export function restsForMillis({ sinceMillis, nowMillis, knownMillis }: Rest, coolDownMillis: number): number {
  const written = nowMillis - sinceMillis;
  return coolDownMillis - Math.max(knownMillis, Number.isNaN(written) ? 0 : written);
}
