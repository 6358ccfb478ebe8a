/** The value that asks for a pool's addresses to be moved back. */
import { hash } from "node:crypto";

/** Longest value that is remembered as it is: it stands in every node's plan. */
const MAX_LENGTH = 64;

/** What is remembered of the annotation's text: no text asks for nothing, a long one is shortened to its hash. */
export function rebalanceOf(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  return text.length <= MAX_LENGTH ? text : hash("sha256", text);
}
