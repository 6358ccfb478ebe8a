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

/**
 * In how many milliseconds an address that began to rest at `since` may go, for a pool that has it rest for so long; 0
 * or less is now. A clock that was set back never makes it rest for longer than from now on.
 */
export function restsForMillis(sinceMillis: number, coolDownMillis: number, nowMillis: number): number {
  const rested = Math.max(0, nowMillis - sinceMillis);
  return coolDownMillis - (Number.isNaN(rested) ? 0 : rested);
}
