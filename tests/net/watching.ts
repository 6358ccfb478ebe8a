/** What a client on a segment saw of an address, and what can be said about it. */
import { expect } from "vitest";
import type { Host, Segment, Watched } from "../../hack/src/segment.ts";

/** Three hellos of 100 ms missed, half a pause of grace, and as much again for a machine that does other things too. */
export const GAP_MILLIS = 800;

export const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

/** A client, the segment that it is on, and the address that it asks for. */
export type Watch = { readonly segment: Segment; readonly client: Host; readonly ip: string };

/** Waits until a client is answered by this host alone. */
export const settle = ({ segment, client, ip }: Watch, host: Host): Promise<void> =>
  expect.poll(async () => [...macsOf(await segment.watch(client, ip, 0.3))], { timeout: 15_000 }).toEqual([host.mac]);

/** What the client saw while something happened a second after it had begun to watch. */
export async function watching({ segment, client, ip }: Watch, seconds: number, act: () => unknown): Promise<Watched> {
  const watched = segment.watch(client, ip, seconds);
  await pause(1_000);
  await act();
  return watched;
}

/** The hardware addresses that answered. */
export const macsOf = ({ replies }: Watched): ReadonlySet<string> => new Set(replies.map(([, mac]) => mac));

/** The longest time between two replies. */
export const longestGap = ({ replies }: Watched): number =>
  Math.max(...replies.map(([millis], index) => millis - (replies[index - 1]?.[0] ?? millis)));

/** For how long two nodes answered: from the first reply of the new one to the last of the old one. */
export const overlap = ({ replies }: Watched, before: Host, after: Host): number => {
  const first = replies.find(([, mac]) => mac === after.mac)?.[0] ?? Infinity;
  const last = replies.findLast(([, mac]) => mac === before.mac)?.[0] ?? -Infinity;
  return Math.max(0, last - first);
};

export const lastToAnswer = ({ replies }: Watched): string | undefined => replies.at(-1)?.[1];
