/** On which terms a Service shares an address (annotation `allow-shared-ip`), and whether two sets of terms agree. */
import { keys } from "../keys.ts";

/** The terms of one Service; `ports` are "TCP/80" and sorted, `key` is empty where it shares with nobody. */
export type SharingTerms = {
  readonly key: string;
  readonly ports: readonly string[];
  /** Which pods traffic reaches: "cluster" for any node's, or "local:" and the selector, since then the node decides. */
  readonly backend: string;
};

/** What the terms are read from; a v1 Service fits. */
export type TermsInput = {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly spec?:
    | {
        readonly externalTrafficPolicy?: string | undefined;
        readonly selector?: Readonly<Record<string, string>> | undefined;
        readonly ports?: readonly { readonly port: number; readonly protocol?: string | undefined }[] | undefined;
      }
    | undefined;
};

/** In what two sets of terms do not agree. */
export type TermsConflict =
  | { readonly kind: "noKey" }
  | { readonly kind: "otherKey"; readonly key: string }
  | { readonly kind: "samePorts"; readonly ports: readonly string[] }
  | { readonly kind: "otherBackend" };

/** The terms that a Service sets; the new annotation wins whenever its key exists. */
export function readTerms(service: TermsInput): SharingTerms {
  const annotations = service.metadata?.annotations ?? {};
  const key = annotations[keys.shareNew] ?? annotations[keys.shareOld] ?? "";
  const ports = (service.spec?.ports ?? []).map(({ protocol, port }) => `${protocol ?? "TCP"}/${String(port)}`);
  return { key, ports: [...new Set(ports)].toSorted(), backend: readBackend(service) };
}

function readBackend({ spec }: TermsInput): string {
  if (spec?.externalTrafficPolicy !== "Local") return "cluster";
  const labels = Object.entries(spec.selector ?? {}).map(([name, value]) => `${name}=${value}`);
  return `local:${labels.toSorted().join(",")}`;
}

/** Why a Service of these terms can't share with one of the others; undefined where it can. */
export function findTermsConflict(mine: SharingTerms, theirs: SharingTerms): TermsConflict | undefined {
  if (mine.key === "") return { kind: "noKey" };
  if (mine.key !== theirs.key) return { kind: "otherKey", key: theirs.key };
  const ports = mine.ports.filter((port) => theirs.ports.includes(port));
  if (ports.length > 0) return { kind: "samePorts", ports };
  return mine.backend === theirs.backend ? undefined : { kind: "otherBackend" };
}

/** Whether the two are the same to everybody; nobody agrees with terms that have no key, whatever else they say. */
export const sameTerms = (a: SharingTerms, b: SharingTerms): boolean =>
  a.key === b.key && (a.key === "" || (a.backend === b.backend && a.ports.join() === b.ports.join()));
