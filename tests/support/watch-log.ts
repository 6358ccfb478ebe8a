/** What happened in a store, as watches hear of it. */
import type { WatchEvent, WatchOptions } from "../../cluster/api.ts";
import { ApiError } from "../../cluster/errors.ts";
import { printKey, keyOf, type ApiObject, type Kind } from "../../cluster/kinds.ts";

/** Something that happened, at the revision of its object. */
export type Happening = {
  readonly plural: string;
  readonly type: WatchEvent<never>["type"];
  readonly object: ApiObject;
};

/** Called for each event before a watch gets it, with the object's key. */
export type BeforeEvent = (plural: string, key: string) => Promise<void>;

const revisionOf = ({ object }: Happening): number => Number(object.metadata?.resourceVersion);

/** Every happening in order; watches can be broken off, ended, and made too old. */
export class WatchLog {
  readonly #happenings: Happening[] = [];
  #waiting: (() => void)[] = [];
  #oldest = 0;
  #breaks = 0;
  #ends = 0;

  record(happening: Happening): void {
    this.#happenings.push(happening);
    this.#wake();
  }

  /** Answers every watch that starts from before the revision with 410. */
  forgetBefore(revision: number): void {
    this.#oldest = revision;
  }

  breakWatches(): void {
    this.#breaks += 1;
    this.#wake();
  }

  endWatches(): void {
    this.#ends += 1;
    this.#wake();
  }

  /** The happenings of a kind after a revision, as they come. */
  async *watch<T extends ApiObject>(
    kind: Kind<T>,
    { namespace, resourceVersion, signal }: WatchOptions,
    before: BeforeEvent,
  ): AsyncGenerator<WatchEvent<T>> {
    if (Number(resourceVersion) < this.#oldest) {
      throw new ApiError(`watch ${kind.plural}`, 410, "Expired", "too old resource version");
    }
    const [breaks, ends] = [this.#breaks, this.#ends];
    const isHeard = (one: Happening): boolean =>
      one.plural === kind.plural &&
      revisionOf(one) > Number(resourceVersion) &&
      (one.type === "BOOKMARK" || namespace === undefined || one.object.metadata?.namespace === namespace);
    for (let index = 0; this.#ends === ends; ) {
      for (const happening of this.#happenings.slice(index)) {
        index += 1;
        if (!isHeard(happening)) continue;
        await before(kind.plural, printKey(keyOf(happening.object)));
        this.#refuseBroken(breaks, signal);
        yield { type: happening.type, object: structuredClone(happening.object) as T };
      }
      this.#refuseBroken(breaks, signal);
      if (index === this.#happenings.length && this.#ends === ends) await this.#next(signal);
    }
  }

  #refuseBroken(breaks: number, signal: AbortSignal): void {
    if (signal.aborted) throw new Error("aborted");
    if (this.#breaks !== breaks) throw new Error("socket hang up");
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
