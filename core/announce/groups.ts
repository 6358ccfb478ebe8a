/** Services that share addresses, directly or by way of others: they are announced by one node, so planned together. */
import { compareAddresses, printAddress, type Address } from "../address/address.ts";
import type { AnnouncedService } from "./plan-types.ts";

/** A Service with its addresses as text. */
export type Member = { readonly key: string; readonly service: AnnouncedService; readonly ips: readonly string[] };

type Shared = { readonly address: Address; readonly keys: Set<string> };

/** Services by name, and who has which address. */
export class Groups {
  readonly #members = new Map<string, Member>();
  readonly #sharers = new Map<string, Shared>();

  /** Takes in a Service, or that it has gone or has no addresses. */
  set(key: string, service: AnnouncedService | undefined): void {
    for (const ip of this.#members.get(key)?.ips ?? []) this.#leave(ip, key);
    if (service === undefined || service.addresses.length === 0) {
      this.#members.delete(key);
      return;
    }
    const ips = service.addresses.map(printAddress);
    this.#members.set(key, { key, service, ips });
    for (const [index, address] of service.addresses.entries()) this.#join(ips[index] ?? "", address, key);
  }

  #join(ip: string, address: Address, key: string): void {
    const shared = this.#sharers.get(ip) ?? { address, keys: new Set<string>() };
    shared.keys.add(key);
    this.#sharers.set(ip, shared);
  }

  #leave(ip: string, key: string): void {
    const shared = this.#sharers.get(ip);
    shared?.keys.delete(key);
    if (shared?.keys.size === 0) this.#sharers.delete(ip);
  }

  get(key: string): Member | undefined {
    return this.#members.get(key);
  }

  keys(): Iterable<string> {
    return this.#members.keys();
  }

  /** The Services that have an address. */
  sharersOf(ip: string): Iterable<string> {
    return this.#sharers.get(ip)?.keys ?? [];
  }

  /** The address that is written so, if a Service has it. */
  addressOf(ip: string): Address | undefined {
    return this.#sharers.get(ip)?.address;
  }

  /** All Services that have to be planned with this one, itself among them, sorted by name. */
  around(key: string): readonly Member[] {
    const found = new Set([key]);
    for (const one of found) {
      for (const ip of this.#members.get(one)?.ips ?? []) {
        for (const sharer of this.sharersOf(ip)) found.add(sharer);
      }
    }
    return [...found].toSorted().flatMap((one) => this.#members.get(one) ?? []);
  }
}

/** The address whose hash orders the nodes for all: the first one of a Service, of several Services the lowest of these. */
export function leadOf(members: readonly Member[]): string {
  const firsts = members.flatMap(({ service, ips: [ip] }) => {
    const [address] = service.addresses;
    return ip === undefined || address === undefined ? [] : [{ ip, address }];
  });
  return firsts.reduce<Lead | undefined>(lower, undefined)?.ip ?? "";
}

type Lead = { readonly ip: string; readonly address: Address };

const lower = (best: Lead | undefined, one: Lead): Lead =>
  best === undefined || compareAddresses(one.address, best.address) < 0 ? one : best;
