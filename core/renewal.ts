/** When the certificates that the webhooks are served with get successors. */

/** From when to when a certificate holds, in milliseconds since 1970. */
export type Validity = { readonly fromMillis: number; readonly toMillis: number };

/** What is to be made anew. */
export type Renewal = "nothing" | "server" | "authority" | "all";

/** Whether a certificate is in the last third of its time, so that its successor is known long before it ends. */
const isDue = ({ fromMillis, toMillis }: Validity, nowMillis: number): boolean =>
  nowMillis >= toMillis - (toMillis - fromMillis) / 3;

/**
 * What is to be made anew, one thing at a time: a new authority is made known together with the one before it, and
 * signs only later, when every API server has heard of it. Where one of them has ended nobody is trusted anyway.
 */
export function renewal(authority: Validity | undefined, server: Validity | undefined, nowMillis: number): Renewal {
  if (authority === undefined || nowMillis >= authority.toMillis) return "all";
  if (isDue(authority, nowMillis)) return "authority";
  return server === undefined || isDue(server, nowMillis) ? "server" : "nothing";
}
