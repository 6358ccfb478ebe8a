/** Reads the API server's answers: whole bodies, refusals and the lines of a watch. Decides nothing. */
import { StringDecoder } from "node:string_decoder";
import { ApiError } from "./errors.ts";
import type { WatchEvent, WatchOptions } from "./api.ts";
import { pathOf, type ApiObject, type Kind } from "./kinds.ts";
import type { Answer, Transport } from "./transport.ts";

/** JSON as the type that the caller knows the API server to send: the schema of the kind vouches for it. */
export const parseJson: <T>(text: string, revive?: (key: string, value: unknown) => unknown) => T = JSON.parse;

/** kubectl's copy of what was last applied: as long as the object once more, and for kubectl alone. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Kinds of which it is read who set which field; none of them is kept. */
const READ_WHOLE: ReadonlySet<string> = new Set(["Deployment"]);

/** The part of an object that {@link slim} thins out. */
export type Bulky = { kind?: string; metadata?: { managedFields?: unknown; annotations?: Record<string, string> } };

/**
 * The object without what nobody reads here and what makes up two thirds of its memory: who set which field, and kubectl's
 * copy of it. Every object that the API server sends comes through here, so the caches hold nothing else.
 */
export function slim<T>(object: T & Bulky): T {
  const { kind = "", metadata } = object;
  if (metadata === undefined || READ_WHOLE.has(kind)) return object;
  // Not `delete`: an object that lost a field is kept as a hash table, which is larger.
  if (metadata.managedFields !== undefined) metadata.managedFields = undefined;
  if (metadata.annotations?.[LAST_APPLIED] !== undefined) {
    metadata.annotations = Object.fromEntries(
      Object.entries(metadata.annotations).filter(([name]) => name !== LAST_APPLIED),
    );
  }
  return object;
}

declare global {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- merged into the library's own
  interface JSON {
    /** A value that JSON.stringify prints as this text (ECMAScript's JSON.parse source text access). */
    rawJSON(text: string): unknown;
  }
}

/** What JSON.parse makes of the largest int64, which no double is. */
const LARGEST = 2 ** 63;

/** The value as JSON; the number 2^63 becomes the largest int64 again. */
export const printJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (inner === LARGEST ? JSON.rawJSON("9223372036854775807") : inner));

/**
 * How long the API server may keep a watch open, in seconds; it then ends it and the watch goes on where it was. Shorter than
 * the transport's patience: over etcd 3.4 a kind in which nothing happens gets no bookmarks either.
 */
const WATCH_SECONDS = 150;

/** The whole body of an answer as text. */
export async function readAll({ stream }: Answer): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytesOf(stream)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** A stream without an encoding gives buffers; its type does not say so. */
const bytesOf = (stream: AsyncIterable<Buffer>): AsyncIterable<Buffer> => stream;

type Status = { readonly reason?: string; readonly message?: string; readonly code?: number };

/** The error of an answer that says no; its body is a `Status` where the API server itself answered. */
export function refusal(what: string, status: number, body: string): ApiError {
  try {
    const { reason, message } = parseJson<Status>(body);
    return new ApiError(what, status, reason ?? "", message ?? body);
  } catch {
    return new ApiError(what, status, "", body);
  }
}

/** The events of one kind from a revision on, until the API server ends the watch. Throws 410 as {@link ApiError}. */
export async function* watchLines<T extends ApiObject>(
  transport: Transport,
  kind: Kind<T>,
  { namespace, resourceVersion, signal }: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${String(WATCH_SECONDS)}`;
  const path = `${pathOf(kind, { namespace })}?${query}&resourceVersion=${resourceVersion}`;
  const answer = await transport({ method: "GET", path, signal });
  if (answer.status >= 400) throw refusal(`watch ${kind.plural}`, answer.status, await readAll(answer));
  for await (const line of lines(answer)) {
    const event = parseJson<WatchEvent<T>>(line);
    if (event.type === "ERROR") throw refusal(`watch ${kind.plural}`, codeOf(line), JSON.stringify(event.object));
    slim(event.object);
    yield event;
  }
}

const codeOf = (line: string): number => parseJson<{ object: Status }>(line).object.code ?? 500;

async function* lines({ stream }: Answer): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of bytesOf(stream)) {
    const parts = (rest + decoder.write(chunk)).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") yield part;
  }
}
