/** Every write to what other people own too: Services, their status, Events. Decides nothing. */
import { hostname } from "node:os";
import { printAddress, type Address } from "../core/address/address.ts";
import type { EventReason } from "../core/explain/reasons.ts";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { apiVersionOf, keyOf, kinds, type ApiObject, type Kind, type Service, type ServiceCondition } from "./kinds.ts";

/** Who reports, in Events. */
const REPORTER = "berth.dev/operator";

/** What a condition on a Service is to say; without `says` there is to be none. */
export type Wanted = {
  readonly type: string;
  readonly says: { readonly status: "True" | "False"; readonly reason: string; readonly message: string } | undefined;
};

/** The annotations by which a Service says what it has, and from which pool by its name; null takes them off. */
export function annotationsFor(
  addresses: readonly Address[],
  pool: string | undefined,
): Readonly<Record<string, string | null>> {
  return {
    [keys.addresses]: addresses.length === 0 ? null : addresses.map(printAddress).join(","),
    [keys.fromPool]: addresses.length === 0 || pool === undefined ? null : pool,
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

/** The status that a Service is to have, or undefined where it has it already; conditions that are not named stay. */
export function statusChange(
  service: Service,
  addresses: readonly Address[],
  wanted: readonly Wanted[],
): object | undefined {
  const { ingress: current = [] } = service.status?.loadBalancer ?? {};
  const { conditions = [] } = service.status ?? {};
  const ingress = addresses.map((address) => ({ ip: printAddress(address), ipMode: "VIP" }));
  const isSame = ingress.map(({ ip }) => ip).join() === current.map(({ ip }) => ip).join();
  if (isSame && wanted.every((one) => isSaid(service, one))) return undefined;
  const others = conditions.filter(({ type }) => wanted.every((one) => one.type !== type));
  const ours = wanted.flatMap((one) => conditionFor(service, one));
  return { loadBalancer: { ingress: ingress.length === 0 ? null : ingress }, conditions: [...others, ...ours] };
}

const conditionOn = ({ status }: Service, type: string): ServiceCondition | undefined =>
  (status?.conditions ?? []).find((condition) => condition.type === type);

/** Whether the condition stands on the Service as it is wanted, since whenever. */
export function isSaid(service: Service, { type, says }: Wanted): boolean {
  const before = conditionOn(service, type);
  if (before === undefined || says === undefined) return before === says;
  return before.status === says.status && before.reason === says.reason && before.message === says.message;
}

type Condition = Omit<ServiceCondition, "lastTransitionTime"> & { lastTransitionTime: string | Date };

function conditionFor(service: Service, { type, says }: Wanted): readonly Condition[] {
  if (says === undefined) return [];
  const before = conditionOn(service, type);
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const lastTransitionTime = before?.status === says.status ? before.lastTransitionTime : now;
  return [{ type, ...says, lastTransitionTime }];
}

/** The conditions that Berth sets on Services. */
const OURS: ReadonlySet<string> = new Set([keys.addressAssigned, keys.announced]);

/** The status of a Service that Berth serves no longer, or undefined where nothing of Berth's stands in it. */
export function clearedStatus({ spec, status }: Service): object | undefined {
  const conditions = status?.conditions ?? [];
  const others = conditions.filter(({ type }) => !OURS.has(type));
  if (others.length === conditions.length) return undefined;
  const isLoadBalancer = spec?.type === "LoadBalancer";
  return { conditions: others, ...(isLoadBalancer ? {} : { loadBalancer: { ingress: null } }) };
}

/** Writes the status, if the Service has not changed since it was read. */
export async function writeStatus(api: Api, service: Service, status: object): Promise<Service> {
  const { resourceVersion } = service.metadata ?? {};
  return api.merge(kinds.services, keyOf(service), { metadata: { resourceVersion }, status }, "status");
}

/** Something that a person may want to know of an object. */
export type Occurrence = {
  readonly type: "Normal" | "Warning";
  readonly reason: EventReason;
  readonly note: string;
  /** What was being done; by default a Service was being assigned an address. */
  readonly action?: string;
};

/** Records an Event on an object, a Service unless another kind is given. */
export async function writeEvent(
  api: Api,
  object: ApiObject,
  { type, reason, note, action = "Assign" }: Occurrence,
  kind: Kind<ApiObject> = kinds.services,
): Promise<void> {
  const { name = "", namespace = "", uid, resourceVersion } = object.metadata ?? {};
  const now = new Date();
  const suffix = `${now.getTime().toString(16)}${Math.floor(Math.random() * 0xffff).toString(16)}`;
  const event = {
    apiVersion: apiVersionOf(kinds.events),
    kind: kinds.events.kind,
    metadata: { namespace, name: `${name.slice(0, 200)}.${suffix}` },
    eventTime: now.toISOString().replace("Z", "000Z"),
    reportingController: REPORTER,
    reportingInstance: hostname(),
    action,
    regarding: { apiVersion: apiVersionOf(kind), kind: kind.kind, name, namespace, uid, resourceVersion },
    type,
    reason,
    note: note.slice(0, 1_000),
  };
  await api.create(kinds.events, event);
}
