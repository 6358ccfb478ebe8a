/** When a claim that no Service needs any more is given up. */

/** How long a claim may wait for the Service that it was made for, in milliseconds: the grace the API server gives its own. */
export const GRACE_MILLIS = 60_000;

/** How long the address of a deleted Service waits for it to come back, in milliseconds: deleted and created again at once, it keeps it. */
export const LINGER_MILLIS = 2_000;

/** What is known of a claim and of the Service that it names. */
export type ClaimState = {
  /** Whether the Service is stored, and whether it lists the address as its own. */
  readonly service: "lists" | "other" | "absent";
  /** How long ago the Service was deleted, in milliseconds, where that came after the last write to the claim. */
  readonly deletedMillisAgo: number | undefined;
  /** For how long the claim has been known as it is, in milliseconds by a clock that does not jump. */
  readonly knownMillis: number;
};

/**
 * In how many milliseconds the claim may go; 0 or less is now, undefined never. A request that made the claim may still
 * be on its way to the store, so only a deletion that came later is proof that nobody needs it.
 */
export function releaseInMillis({ service, deletedMillisAgo, knownMillis }: ClaimState): number | undefined {
  if (service === "lists") return undefined;
  if (service === "absent" && deletedMillisAgo !== undefined) return LINGER_MILLIS - deletedMillisAgo;
  return GRACE_MILLIS - knownMillis;
}
