/** Small values that the examples in docs/messages.md are made of. */
import type { Address } from "../../../core/address/address.ts";
import { parseAddress } from "../../../core/address/address.ts";
import type { Range } from "../../../core/address/range.ts";
import { parseRange } from "../../../core/address/range.ts";
import type { Result } from "../../../core/result.ts";

function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(`an example is malformed: ${JSON.stringify(result.error)}`);
  return result.value;
}

export const address = (text: string): Address => valueOf(parseAddress(text));
export const range = (text: string): Range => valueOf(parseRange(text));

export const service = { namespace: "default", name: "web" } as const;
export const other = { kind: "service", namespace: "default", name: "shop" } as const;
export const pool = "network/homelab-pool";
export const lan = { pool, ranges: [range("192.168.1.200-192.168.1.220")] } as const;
export const source = "metallb.io/loadBalancerIPs";
export const pin = { service, source, address: address("192.168.1.205"), free: address("192.168.1.201") } as const;
export const ofPool = { subject: { type: "IPAddressPool", key: pool }, field: "serviceAllocation.namespaces" } as const;
