/** Events aside: whoever records one does not wait for it, since a status must never queue behind an Event. */
import type { Api } from "./api.ts";
import { isConflict, mayPass } from "./errors.ts";
import { kinds, type ApiObject, type Kind } from "./kinds.ts";
import { log } from "./log.ts";
import { backoffMillis } from "./queue.ts";

/** Events written at the same time. */
const WRITERS = 2;
/** Events that may wait; those beyond are dropped, since memory is worth more than a note that expires in an hour. */
const ROOM = 5_000;

/** How often an Event is tried: for about ten seconds, in which another API server takes over. */
const TRIES = 8;

type Waiting = { readonly event: ApiObject; readonly failures: number };

/** Events on their way, and those that are to be tried again. */
class Writer {
  readonly #api: Api;
  readonly #waiting: Waiting[] = [];
  #writers = 0;
  #pausing = 0;

  constructor(api: Api) {
    this.#api = api;
  }

  put(one: Waiting): void {
    const waiting = this.#waiting.length + this.#pausing;
    if (waiting >= ROOM) {
      log.warn({ waiting }, "Event dropped, too many are waiting");
      return;
    }
    this.#waiting.push(one);
    if (this.#writers < WRITERS) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writers += 1;
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) {
      const { event, failures } = one;
      await this.#api.create(kinds.events, event).catch((err: unknown) => {
        this.#onFailure({ event, failures: failures + 1 }, err);
      });
    }
    this.#writers -= 1;
  }

  #onFailure(one: Waiting, err: unknown): void {
    const { failures } = one;
    // An earlier try had come through, only not its answer.
    if (failures > 1 && isConflict(err)) return;
    if (failures >= TRIES || !mayPass(err)) {
      log.warn({ err, failures }, "Event not written");
      return;
    }
    this.#pausing += 1;
    const again = setTimeout(() => {
      this.#pausing -= 1;
      this.put(one);
    }, backoffMillis(failures));
    again.unref();
  }
}

/**
 * The same calls, but that creating an Event gives it back as it was handed in, before it is written. An Event that the
 * API server refuses, or does not answer for in several tries, is lost with a line in the log: it only tells of what
 * stands in the status anyway.
 */
export function eventsAside(api: Api): Api {
  const writer = new Writer(api);
  return {
    list: (kind, namespace) => api.list(kind, namespace),
    watch: (kind, options) => api.watch(kind, options),
    get: (kind, key) => api.get(kind, key),
    create: <T extends ApiObject>(kind: Kind<T>, object: T) => {
      if (kind.plural !== kinds.events.plural) return api.create(kind, object);
      writer.put({ event: object, failures: 0 });
      return Promise.resolve(object);
    },
    apply: (kind, object, options) => api.apply(kind, object, options),
    merge: (kind, key, patch, subresource) => api.merge(kind, key, patch, subresource),
    remove: (kind, key, precondition) => api.remove(kind, key, precondition),
  };
}
