/** Every write to what other people own too: Services, their status, Events. Decides nothing. */
import { hostname } from "node:os";
import { printAddress, type Address } from "../core/address/address.ts";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { apiVersionOf, keyOf, kinds, type Service, type ServiceCondition } from "./kinds.ts";

/** Who reports, in Events. */
const REPORTER = "berth.dev/operator";

/** What the condition {@link keys.addressAssigned} says. */
export type Assigned = { readonly isAssigned: boolean; readonly reason: string; readonly message: string };

/** The annotations by which a Service says what it has; null takes them off. MetalLB's own names the pool without its namespace. */
export function annotationsFor(
  addresses: readonly Address[],
  pool: string | undefined,
): Readonly<Record<string, string | null>> {
  const name = pool?.slice(pool.indexOf("/") + 1);
  return {
    [keys.addresses]: addresses.length === 0 ? null : addresses.map(printAddress).join(","),
    [keys.fromPool]: addresses.length === 0 || name === undefined ? null : name,
  };
}

/** Writes annotations on a Service that bypassed admission, if it has not changed since it was read. */
export async function writeAnnotations(
  api: Api,
  service: Service,
  annotations: Readonly<Record<string, string | null>>,
): Promise<Service> {
  const { resourceVersion } = service.metadata ?? {};
  return api.merge(kinds.services, keyOf(service), { metadata: { resourceVersion, annotations } });
}

/** The status that a Service is to have, or undefined where it has it already. */
export function statusChange(service: Service, addresses: readonly Address[], assigned: Assigned): object | undefined {
  const { ingress: current = [] } = service.status?.loadBalancer ?? {};
  const { conditions = [] } = service.status ?? {};
  const ingress = addresses.map((address) => ({ ip: printAddress(address), ipMode: "VIP" }));
  const before = conditions.find(({ type }) => type === keys.addressAssigned);
  const condition = conditionOf(before, assigned);
  const isSame = ingress.map(({ ip }) => ip).join() === current.map(({ ip }) => ip).join();
  if (isSame && before !== undefined && sameCondition(before, condition)) return undefined;
  const others = conditions.filter(({ type }) => type !== keys.addressAssigned);
  return { loadBalancer: { ingress: ingress.length === 0 ? null : ingress }, conditions: [...others, condition] };
}

type Condition = Omit<ServiceCondition, "lastTransitionTime"> & { lastTransitionTime: string | Date };

function conditionOf(before: ServiceCondition | undefined, { isAssigned, reason, message }: Assigned): Condition {
  const status = isAssigned ? "True" : "False";
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
  return { type: keys.addressAssigned, status, reason, message, lastTransitionTime };
}

const sameCondition = (
  left: Omit<Condition, "lastTransitionTime">,
  right: Omit<Condition, "lastTransitionTime">,
): boolean => left.status === right.status && left.reason === right.reason && left.message === right.message;

/** The status of a Service that Berth serves no longer, or undefined where nothing of Berth's stands in it. */
export function clearedStatus({ spec, status }: Service): object | undefined {
  const conditions = status?.conditions ?? [];
  const others = conditions.filter(({ type }) => type !== keys.addressAssigned);
  if (others.length === conditions.length) return undefined;
  const isLoadBalancer = spec?.type === "LoadBalancer";
  return { conditions: others, ...(isLoadBalancer ? {} : { loadBalancer: { ingress: null } }) };
}

/** Writes the status, if the Service has not changed since it was read. */
export async function writeStatus(api: Api, service: Service, status: object): Promise<Service> {
  const { resourceVersion } = service.metadata ?? {};
  return api.merge(kinds.services, keyOf(service), { metadata: { resourceVersion }, status }, "status");
}

/** Something that a person may want to know of a Service. */
export type Occurrence = { readonly type: "Normal" | "Warning"; readonly reason: string; readonly note: string };

/** Records an Event on the Service. */
export async function writeEvent(api: Api, service: Service, { type, reason, note }: Occurrence): Promise<void> {
  const { name = "", namespace = "", uid, resourceVersion } = service.metadata ?? {};
  const now = new Date();
  const suffix = `${now.getTime().toString(16)}${Math.floor(Math.random() * 0xffff).toString(16)}`;
  const event = {
    apiVersion: apiVersionOf(kinds.events),
    kind: kinds.events.kind,
    metadata: { namespace, name: `${name.slice(0, 200)}.${suffix}` },
    eventTime: now.toISOString().replace("Z", "000Z"),
    reportingController: REPORTER,
    reportingInstance: hostname(),
    action: "Assign",
    regarding: { apiVersion: "v1", kind: "Service", name, namespace, uid, resourceVersion },
    type,
    reason,
    note: note.slice(0, 1_000),
  };
  await api.create(kinds.events, event);
}
