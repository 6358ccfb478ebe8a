/** When things were seen to happen, by this process's own clock: what claims are given up by. */
import { sameAddress, type Address } from "../core/address/address.ts";
import type { ServiceName } from "../core/allocation/holder.ts";
import type { ClaimState } from "../core/allocation/release.ts";
import { compareRevisions, type Change } from "./cache.ts";
import { metadataOf, printKey, type IPAddress, type Service } from "./kinds.ts";
import { annotatedAddresses, claimantsOf, claimedAddress, isDamaged, isOurs, partId } from "./read.ts";

/** The last write to a Service that took addresses off it, its deletion for one. */
type Departure = { readonly revision: string; readonly atMillis: number };

/** How long a departure is remembered, in milliseconds; longer than any request may take. */
const MEMORY_MILLIS = 120_000;

/** A Service's part in a claim: at which revision it was taken up last, and since when that is known. */
type Part = { readonly id: string; readonly revision: string; readonly sinceMillis: number };

/** Departures of Services, and since when each Service's part in each claim is as it is. */
export class History {
  readonly #clock: () => number;
  readonly #departures = new Map<string, Departure>();
  readonly #parts = new Map<string, ReadonlyMap<string, Part>>();
  readonly #damagedSinceMillis = new Map<string, number>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  onService({ key, before, after, resourceVersion }: Change<Service>): void {
    if (before === undefined || !hasLeft(before, after)) return;
    this.#forget();
    // A list that lacks the Service tells no revision; then only the grace of a claim counts.
    if (resourceVersion === "") return;
    // Deleted first: an entry that is written again keeps its place, and #forget goes by the order.
    this.#departures.delete(printKey(key));
    this.#departures.set(printKey(key), { revision: resourceVersion, atMillis: this.#clock() });
  }

  onClaim({ key, after }: Change<IPAddress>): void {
    const address = printKey(key);
    const before = this.#parts.get(address);
    if (after === undefined) this.#parts.delete(address);
    else this.#parts.set(address, new Map(claimantsOf(after).map((service) => this.#partOf(after, service, before))));
    const since = this.#damagedSinceMillis.get(address) ?? this.#clock();
    if (after !== undefined && isDamaged(after)) this.#damagedSinceMillis.set(address, since);
    else this.#damagedSinceMillis.delete(address);
  }

  /** For how long the claim has been known to be damaged, in milliseconds; 0 where it is not. */
  damagedMillis(claim: IPAddress): number {
    const nowMillis = this.#clock();
    return nowMillis - (this.#damagedSinceMillis.get(metadataOf(claim).name) ?? nowMillis);
  }

  /** What another sharer does to the claim leaves a Service's part as old as it was. */
  #partOf(claim: IPAddress, service: ServiceName, before?: ReadonlyMap<string, Part>): readonly [string, Part] {
    const [key, id] = [printKey(service), partId(claim, service)];
    const known = before?.get(key);
    if (known?.id === id) return [key, known];
    return [key, { id, revision: metadataOf(claim).resourceVersion, sinceMillis: this.#clock() }];
  }

  /** What is known of a claim, and of a Service that it names as that is stored. */
  stateOf(claim: IPAddress, name: ServiceName, service: Service | undefined): ClaimState {
    const [, { revision, sinceMillis }] = this.#partOf(claim, name, this.#parts.get(metadataOf(claim).name));
    const departure = this.#departures.get(printKey(name));
    const hasLeftSince = departure !== undefined && compareRevisions(departure.revision, revision) > 0;
    const storedSince = service !== undefined && compareRevisions(metadataOf(service).resourceVersion, revision) > 0;
    const nowMillis = this.#clock();
    return {
      service: standing(claim, service),
      isSettled: hasLeftSince || storedSince,
      knownMillis: nowMillis - (hasLeftSince ? Math.max(departure.atMillis, sinceMillis) : sinceMillis),
    };
  }

  #forget(): void {
    for (const [key, { atMillis }] of this.#departures) {
      if (this.#clock() - atMillis < MEMORY_MILLIS) return;
      this.#departures.delete(key);
    }
  }
}

/** Whether the Service listed addresses before and lists fewer or others now. */
function hasLeft(before: Service, after: Service | undefined): boolean {
  if (after === undefined) return true;
  const [old, now] = [listed(before), listed(after)];
  return !old.every((address) => now.some((one) => sameAddress(one, address)));
}

/** Without the annotation it lists none, though claims may be there that it cannot use: its pin came to be another. */
const listed = (service: Service): readonly Address[] => (isOurs(service) ? (annotatedAddresses(service) ?? []) : []);

function standing(claim: IPAddress, service: Service | undefined): ClaimState["service"] {
  if (service === undefined) return "absent";
  const address = claimedAddress(claim);
  return address !== undefined && listed(service).some((one) => sameAddress(one, address)) ? "lists" : "other";
}
