/** Records, on the lab's client, which node speaks for which address. */
import { nodeWith } from "../../../hack/src/failover/ground.ts";
import { pickText } from "../../../hack/src/lab/json.ts";
import { inNamespace } from "../../../hack/src/lab/network.ts";
import { labPaths } from "../../../hack/src/lab/paths.ts";
import type { Target } from "../../../hack/src/target.ts";
import { captureWithin } from "../../net/capture.ts";
import { movesOf, type Move } from "./moves.ts";

/** A recording that goes on until it is stopped. */
export type Recording = { readonly moves: () => readonly Move[]; readonly stop: () => void };

/** Begins to record; what the client's neighbour table holds by then is where the addresses are. */
export async function recordMoves(target: Target, addresses: readonly string[]): Promise<Recording> {
  // Ahead of all that rolls: a move is noted when its frame is read, and is to be compared with what the prober notes.
  const enter = inNamespace(labPaths(target.name, process.env), "client", ["nice", "-n", "-20"]);
  const { seen, stop } = await captureWithin(enter);
  const millis = Date.now();
  const table = await neighbours(target).catch((error: unknown) => {
    stop();
    throw error;
  });
  const known = table.map((entry) => ({ millis, address: pickText(entry, "dst"), mac: pickText(entry, "lladdr") }));
  const moves = (): readonly Move[] => {
    const heard = seen.flatMap((frame) =>
      frame.kind === "arp" ? [{ millis: frame.millis, address: frame.senderIp, mac: frame.senderMac }] : [],
    );
    const ours = [...known, ...heard].filter(({ address, mac }) => addresses.includes(address) && mac !== "");
    return movesOf(ours.map(({ mac, ...where }) => ({ ...where, node: nodeWith(mac) || mac })));
  };
  return { moves, stop };
}

const neighbours = async (target: Target): Promise<readonly unknown[]> =>
  JSON.parse(await target.exec("client", "ip", "-j", "neigh", "show", "dev", "lan0")) as readonly unknown[];
