/** The two annotations of a node's Lease as text: the operator's plan, the announcer's status. */
import type { Result } from "../result.ts";
import type { Vip } from "./plan-types.ts";

/** A plan as it stands in the annotation; `generation` grows with each change of it. */
export type Plan = { readonly generation: number; readonly vips: readonly Vip[] };

/** What an announcer reports: the plan it acts on, what it answers for and where, and what it does not and why. */
export type AnnouncerStatus = {
  readonly generation: number;
  readonly answering: readonly { readonly ip: string; readonly interfaces: readonly AnsweringInterface[] }[];
  readonly silent: readonly { readonly ip: string; readonly reason: string }[];
};

/** An interface that answers, and by which hardware address. */
export type AnsweringInterface = { readonly name: string; readonly mac: string };

/** Why a text is no plan or status; `path` says where. */
export type PlanTextProblem =
  | { readonly kind: "notJson" }
  | { readonly kind: "unknownVersion"; readonly version: string }
  | { readonly kind: "badShape"; readonly path: string };

/** The plan as compact JSON, its addresses sorted; equal plans print equally. */
export declare function printPlan(generation: number, vips: readonly Vip[]): string;
/** The plan that printPlan printed; unknown fields are left out. */
export declare function parsePlan(text: string): Result<Plan, PlanTextProblem>;
/** The status an announcer wrote; unknown fields are left out, any text is safe. */
export declare function parseStatus(text: string): Result<AnnouncerStatus, PlanTextProblem>;
