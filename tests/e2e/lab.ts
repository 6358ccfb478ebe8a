/** What the end-to-end tests share: the lab, and the API server as typed calls. */
import { inject } from "vitest";
import { apiOver, type Api } from "../../cluster/api.ts";
import { kinds, printKey, type IPAddress, type Service } from "../../cluster/kinds.ts";
import { claimantsOf } from "../../cluster/read.ts";
import { connect } from "../../cluster/transport.ts";
import { keys } from "../../core/keys.ts";
import { targetLab, type Target } from "../../hack/src/target.ts";

/** The lab that the set-up brought up. */
export const lab = (): Promise<Target> => targetLab(inject("lab"));

/** The API server of the lab. */
export async function labApi(): Promise<Api> {
  const { kubeconfig } = await lab();
  process.env["KUBECONFIG"] = kubeconfig;
  return apiOver(await connect());
}

/** A LoadBalancer Service without pods. */
export const loadBalancer = (namespace: string, name: string, annotations: Record<string, string> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace, name, annotations },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: name } },
});

/** The address that Berth wrote on a Service; empty where there is none. */
export const givenAddress = (service: Service | undefined): string =>
  service?.metadata?.annotations?.[keys.addresses] ?? "";

/** The addresses in a Service's status. */
export const statusAddress = (service: Service | undefined): string =>
  (service?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "").join(",");

/** Berth's claims, by each Service that holds them. */
export async function claimsByService(api: Api): Promise<Map<string, IPAddress[]>> {
  const { items } = await api.list(kinds.claims);
  const held = items.flatMap((claim) => claimantsOf(claim).map((service) => ({ claim, service: printKey(service) })));
  const groups = Map.groupBy(held, ({ service }) => service);
  return new Map([...groups].map(([service, claims]) => [service, claims.map(({ claim }) => claim)]));
}

/** An IPAddressPool that only Services that name it are given addresses of, so that no test disturbs another. */
export const pool = (name: string, ...addresses: string[]): object => ({
  apiVersion: "metallb.io/v1beta1",
  kind: "IPAddressPool",
  metadata: { name, namespace: "metallb-system" },
  spec: { addresses, autoAssign: false },
});
