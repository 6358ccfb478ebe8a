/** Counts the writes in an audit log by who made them. Pure but for {@link AuditTail}. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { pickNumber, pickText } from "../lab/json.ts";

/** One write that the API server answered. */
export type Write = {
  readonly writer: string;
  /** The pod that wrote; empty where none did. */
  readonly pod: string;
  readonly what: string;
  readonly isRefused: boolean;
};

const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);
const SYSTEM = /^system:(serviceaccount:[^:]*:)?/;
/** What a Deployment and its ReplicaSet, or a DaemonSet, put behind a pod's name. */
const POD_SUFFIX = /(-[a-z0-9]{8,10})?-[a-z0-9]{5}$/;

/** The write of one line of the log, or undefined for everything else. */
export function parseWrite(line: string): Write | undefined {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return undefined; // cut off: the API server is writing it
  }
  const verb = pickText(event, "verb");
  if (!WRITES.has(verb) || pickText(event, "stage") !== "ResponseComplete") return undefined;
  if (pickText(event, "requestURI").includes("dryRun=All")) return undefined;
  const subresource = pickText(event, "objectRef", "subresource");
  const resource = `${pickText(event, "objectRef", "resource")}${subresource === "" ? "" : `/${subresource}`}`;
  const code = pickNumber(event, "responseStatus", "code") ?? 0;
  const pod = pickText(event, "user", "extra", "authentication.kubernetes.io/pod-name", 0);
  const user = pickText(event, "user", "username").replace(SYSTEM, "");
  return { writer: writerOf(pod, user), pod, what: `${verb} ${resource}`, isRefused: code >= 400 };
}

/** The Deployment or DaemonSet where a pod has written, so that admission and watcher are told apart; else the user. */
const writerOf = (pod: string, user: string): string => (pod === "" ? user : pod.replace(POD_SUFFIX, ""));

/** How often each writer did what, the busiest first; `refused` are those answered with an error, such as a lost race. */
export type Count = {
  readonly writer: string;
  readonly what: string;
  readonly count: number;
  readonly refused: number;
};

export function countWrites(writes: Iterable<Write>): readonly Count[] {
  const groups = Map.groupBy(writes, ({ writer, what }) => `${writer}\n${what}`);
  const counts = [...groups].map(([key, group]): Count => {
    const [writer = "", what = ""] = key.split("\n");
    return { writer, what, count: group.length, refused: group.filter(({ isRefused }) => isRefused).length };
  });
  return counts.toSorted((left, right) => right.count - left.count);
}

/** Reads what is appended to a log from now on, also where the API server begins a new file meanwhile. */
export class AuditTail {
  readonly #path: string;
  readonly #file: number;
  readonly #from: number;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, "r");
    this.#from = fstatSync(this.#file).size;
  }

  /** The writes so far; closes the log. */
  *finish(): Generator<Write> {
    for (const line of this.#lines()) {
      const write = parseWrite(line);
      if (write !== undefined) yield write;
    }
  }

  *#lines(): Generator<string> {
    const { ino } = fstatSync(this.#file);
    yield* linesOf(this.#file, this.#from);
    if (statSync(this.#path).ino !== ino) yield* linesOf(openSync(this.#path, "r"), 0);
  }
}

const CHUNK_BYTES = 1 << 20;

function* linesOf(file: number, from: number): Generator<string> {
  const [buffer, decoder] = [Buffer.alloc(CHUNK_BYTES), new StringDecoder("utf8")];
  let [position, rest] = [from, ""];
  for (let read = 1; read > 0; position += read) {
    read = readSync(file, buffer, 0, CHUNK_BYTES, position);
    const parts = (rest + decoder.write(buffer.subarray(0, read))).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  closeSync(file);
}
