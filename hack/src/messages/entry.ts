/** What is told of each kind of refusal. */
import type { Refusal } from "../../../core/explain.ts";

/** What comes of a request: denied; admitted with a Warning; or a Warning on a new Service, and denied where one has an address. */
export type Answer = "denied" | "warning" | "waits";

/** One kind of refusal; the sentences are made from the examples by core/explain. */
export type Entry<T> = {
  readonly answer: Answer;
  readonly cause: string;
  readonly cure: string;
  readonly examples: readonly T[];
};

/** The entries by kind: tsc refuses a catalogue that lacks one. */
export type Catalogue = { readonly [K in Refusal["kind"]]: Entry<Extract<Refusal, { readonly kind: K }>> };
