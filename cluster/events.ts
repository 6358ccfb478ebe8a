/** Events aside: whoever records one does not wait for it, since a status must never queue behind an Event. */
import type { Api } from "./api.ts";
import { kinds, type ApiObject, type Kind } from "./kinds.ts";
import { log } from "./log.ts";

/** Events written at the same time. */
const WRITERS = 2;
/** Events that may wait; those beyond are dropped, since memory is worth more than a note that expires in an hour. */
const ROOM = 5_000;

/**
 * The same calls, but that creating an Event gives it back as it was handed in, before it is written. An Event that the
 * API server does not take is lost, with a line in the log: it only tells of what stands in the status anyway.
 */
export function eventsAside(api: Api): Api {
  const waiting: ApiObject[] = [];
  const cell = { writers: 0 };
  const write = async (): Promise<void> => {
    cell.writers += 1;
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      await api.create(kinds.events, event).catch((err: unknown) => {
        log.warn({ err }, "Event not written");
      });
    }
    cell.writers -= 1;
  };
  const put = (event: ApiObject): void => {
    if (waiting.length >= ROOM) {
      log.warn({ waiting: waiting.length }, "Event dropped, too many are waiting");
      return;
    }
    waiting.push(event);
    if (cell.writers < WRITERS) void write();
  };
  return {
    list: (kind, namespace) => api.list(kind, namespace),
    watch: (kind, options) => api.watch(kind, options),
    get: (kind, key) => api.get(kind, key),
    create: <T extends ApiObject>(kind: Kind<T>, object: T) => {
      if (kind.plural !== kinds.events.plural) return api.create(kind, object);
      put(object);
      return Promise.resolve(object);
    },
    apply: (kind, object, options) => api.apply(kind, object, options),
    merge: (kind, key, patch, subresource) => api.merge(kind, key, patch, subresource),
    remove: (kind, key, precondition) => api.remove(kind, key, precondition),
  };
}
