/** In what two sets of objects differ, place by place. */
import { isObject, type Json, type JsonObject } from "../../../hack/src/install/object.ts";
import { pickText } from "../../../hack/src/lab/json.ts";

type Objects = ReadonlyMap<string, JsonObject>;

/** `Kind namespace/name path` of each place where they differ, sorted; the order of named lists counts for nothing. */
export function differences(left: Objects, right: Objects): readonly string[] {
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.flatMap((name) => places(left.get(name), right.get(name), name)).toSorted();
}

function places(left: Json | undefined, right: Json | undefined, at: string): readonly string[] {
  const [whole, other] = [asMap(left), asMap(right)];
  if (whole === undefined || other === undefined) return JSON.stringify(left) === JSON.stringify(right) ? [] : [at];
  const fields = [...new Set([...whole.keys(), ...other.keys()])];
  // The first field of the path comes after a space.
  return fields.flatMap((field) =>
    places(
      whole.get(field),
      other.get(field),
      at.includes(" ", at.indexOf(" ") + 1) ? `${at}.${field}` : `${at} ${field}`,
    ),
  );
}

/** An object's fields; a list's entries by their name, or else by their place. */
function asMap(value: Json | undefined): ReadonlyMap<string, Json> | undefined {
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    const named = list.map((entry) => pickText(entry, "name"));
    const isNamed = !named.includes("") && new Set(named).size === list.length && list.length > 0;
    return new Map(list.map((entry, index) => [isNamed ? (named[index] ?? "") : String(index), entry]));
  }
  return isObject(value) ? new Map(Object.entries(value)) : undefined;
}
