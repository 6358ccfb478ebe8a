/** When things were seen to happen, by this process's own clock: what claims are given up by. */
import type { ClaimState } from "../core/allocation/release.ts";
import { compareRevisions, type Change } from "./cache.ts";
import { metadataOf, printKey, type IPAddress, type Service } from "./kinds.ts";
import { annotatedAddresses, claimantOf, claimedAddress, isOurs } from "./read.ts";
import { sameAddress } from "../core/address/address.ts";

type Deletion = { readonly revision: string; readonly atMillis: number };

/** How long a deletion is remembered, in milliseconds; longer than any request may take. */
const MEMORY_MILLIS = 120_000;

/** Deletions of Services, and since when each claim is as it is. */
export class History {
  readonly #clock: () => number;
  readonly #deletions = new Map<string, Deletion>();
  readonly #claimsSince = new Map<string, number>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  onService({ key, before, after, resourceVersion }: Change<Service>): void {
    if (before === undefined || after !== undefined) return;
    this.#forget();
    // A list that lacks the Service tells no revision; then only the grace of a claim counts.
    if (resourceVersion === "") return;
    // Deleted first: an entry that is written again keeps its place, and #forget goes by the order.
    this.#deletions.delete(printKey(key));
    this.#deletions.set(printKey(key), { revision: resourceVersion, atMillis: this.#clock() });
  }

  onClaim({ key, after }: Change<IPAddress>): void {
    if (after === undefined) this.#claimsSince.delete(printKey(key));
    else this.#claimsSince.set(printKey(key), this.#clock());
  }

  /** What is known of a claim, and of the Service it names as it is stored. */
  stateOf(claim: IPAddress, service: Service | undefined): ClaimState {
    const { name, resourceVersion } = metadataOf(claim);
    const deletion = this.#deletions.get(printKey(claimantOf(claim)));
    const isLater = deletion !== undefined && compareRevisions(deletion.revision, resourceVersion) > 0;
    const nowMillis = this.#clock();
    return {
      service: standing(claim, service),
      deletedMillisAgo: isLater ? nowMillis - deletion.atMillis : undefined,
      knownMillis: nowMillis - (this.#claimsSince.get(name) ?? nowMillis),
    };
  }

  #forget(): void {
    for (const [key, { atMillis }] of this.#deletions) {
      if (this.#clock() - atMillis < MEMORY_MILLIS) return;
      this.#deletions.delete(key);
    }
  }
}

function standing(claim: IPAddress, service: Service | undefined): ClaimState["service"] {
  if (service === undefined) return "absent";
  return listsAddress(service, claim) ? "lists" : "other";
}

/** Without the annotation it lists none, though claims may be there that it cannot use: its pin came to be another. */
function listsAddress(service: Service, claim: IPAddress): boolean {
  if (!isOurs(service)) return false;
  const address = claimedAddress(claim);
  const annotated = annotatedAddresses(service);
  return address !== undefined && (annotated?.some((one) => sameAddress(one, address)) ?? false);
}
