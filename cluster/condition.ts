/** The condition berth.dev/Ready of pools and advertisements, and the writing of their status. Decides nothing. */
import type { State } from "../core/explain/state.ts";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { apiVersionOf, metadataOf, type ApiObject, type Kind } from "./kinds.ts";

/** A condition as it is stored, times being text in JSON, whatever the models say. */
export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string | Date;
  readonly observedGeneration?: number;
};

/** A pool or an advertisement. */
export type Conditioned = ApiObject & { status?: { conditions?: readonly Condition[] } };

/** The condition berth.dev/Ready that the object has now. */
export const readyCondition = ({ status }: Conditioned): Condition | undefined =>
  status?.conditions?.find(({ type }) => type === keys.ready);

/** The condition that says the state; its time changes only when the object becomes ready or stops being it. */
export function conditionFor(object: Conditioned, { isReady, reason, message }: State): Condition {
  const before = readyCondition(object);
  const status = isReady ? "True" : "False";
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
  const observedGeneration = object.metadata?.generation;
  return {
    type: keys.ready,
    status,
    reason,
    message,
    lastTransitionTime,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
}

/** Whether the two say the same, whenever they began to. */
export const sameCondition = (left: Condition | undefined, right: Condition): boolean =>
  left?.status === right.status &&
  left.reason === right.reason &&
  left.message === right.message &&
  left.observedGeneration === right.observedGeneration;

/** Writes these fields of the status, whoever wrote them before; others' conditions stay. */
export function applyStatus<T extends ApiObject>(api: Api, kind: Kind<T>, object: T, status: object): Promise<T> {
  const { namespace, name, uid } = metadataOf(object);
  const body = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { namespace, name, uid }, status };
  return api.apply(kind, body, { fieldManager: keys.statusFieldManager, subresource: "status" });
}
