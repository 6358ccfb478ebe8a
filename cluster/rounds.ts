/** Questions that many ask at once, put to the API server one after the other. Knows nothing of what is asked. */

const ignore = (): undefined => undefined;

/** One question at a time: who asks while it is under way shares the answer to the next, as this one may be from before. */
export class Rounds<T> {
  #current: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  /** The answer to a question that is asked from now on. */
  join(ask: () => Promise<T>): Promise<T> {
    if (this.#current === undefined && this.#next === undefined) return this.#begin(ask);
    this.#next ??= Promise.resolve(this.#current)
      .then(ignore, ignore)
      .then(() => {
        this.#next = undefined;
        return this.#begin(ask);
      });
    return this.#next;
  }

  #begin(ask: () => Promise<T>): Promise<T> {
    const asked = ask();
    this.#current = asked;
    const end = (): void => {
      this.#current = undefined;
    };
    asked.then(end, end);
    return asked;
  }
}
