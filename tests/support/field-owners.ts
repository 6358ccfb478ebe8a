/** Server-side apply in small: each leaf field of an object belongs to those who applied it last. */
import { leavesOf, setLeaf, type Json } from "./json-patch.ts";

/** Fields that say which object it is. */
const IDENTITY: ReadonlySet<string> = new Set(
  [["apiVersion"], ["kind"], ["metadata", "name"], ["metadata", "namespace"]].map((path) => JSON.stringify(path)),
);

/** The owners of one object's leaves, by manager. */
export class FieldOwners {
  readonly #byManager = new Map<string, Set<string>>();

  /** The object as it is when the manager applies exactly these fields, by force. */
  apply(manager: string, before: Json, fields: Json): Json {
    const after = structuredClone(before);
    const leaves = new Map(leavesOf(structuredClone(fields)).filter(([leaf]) => !IDENTITY.has(leaf)));
    for (const leaf of this.#byManager.get(manager) ?? []) {
      if (!leaves.has(leaf)) setLeaf(after, leaf, undefined);
    }
    for (const owned of this.#byManager.values()) for (const leaf of leaves.keys()) owned.delete(leaf);
    for (const [leaf, value] of leaves) setLeaf(after, leaf, value);
    this.#byManager.set(manager, new Set(leaves.keys()));
    return after;
  }
}
