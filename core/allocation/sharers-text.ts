/** The sharers of an address as the text of an annotation on its claim. */
import type { Reader } from "../json.ts";
import { list, numberAt, parseJson, record, textAt } from "../json.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Sharer } from "./holder.ts";
import type { SharingTerms } from "./terms.ts";

/** Compact JSON: `[{"service":"default/dns","turn":3,"terms":[{"key":"dns","ports":["UDP/53"],"backend":"cluster"}]}]`. */
export const printSharers = (sharers: readonly Sharer[]): string =>
  JSON.stringify(
    sharers.map(({ namespace, name, terms, turn }) => ({
      service: `${namespace}/${name}`,
      ...(turn === undefined ? {} : { turn }),
      terms: terms.map(({ key, ports, backend }) => ({ key, ports, backend })),
    })),
  );

/** The sharers that printSharers printed, at least one; else the path of what is wrong in the text. Any text is safe. */
export function parseSharers(text: string): Result<readonly Sharer[], string> {
  const json = parseJson(text);
  if (!json.ok) return err("");
  const sharers = list(json.value, "", readSharer);
  return sharers.ok && sharers.value.length === 0 ? err("") : sharers;
}

const readSharer: Reader<Sharer> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const service = textAt(fields.value, "service", path);
  if (!service.ok) return service;
  const [namespace = "", name = ""] = service.value.split("/");
  if (namespace === "" || name === "") return err(`${path}.service`);
  const terms = list(fields.value["terms"], `${path}.terms`, readTerms);
  if (!terms.ok) return terms;
  // without terms anybody could come in
  if (terms.value.length === 0) return err(`${path}.terms`);
  const turn = numberAt(fields.value, "turn", path);
  return ok({ namespace, name, terms: terms.value, ...(turn.ok ? { turn: turn.value } : {}) });
};

const readTerms: Reader<SharingTerms> = (value, path) => {
  const fields = record(value, path);
  if (!fields.ok) return fields;
  const key = textAt(fields.value, "key", path);
  if (!key.ok) return key;
  const backend = textAt(fields.value, "backend", path);
  if (!backend.ok) return backend;
  const ports = list(fields.value["ports"], `${path}.ports`, readText);
  return ports.ok ? ok({ key: key.value, ports: ports.value, backend: backend.value }) : ports;
};

const readText: Reader<string> = (value, path) => (typeof value === "string" ? ok(value) : err(path));
