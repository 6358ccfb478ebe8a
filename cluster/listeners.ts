/** Who is called back when something changes, each until its signal. Knows nothing of what changes. */
export class Listeners<T> {
  #all: readonly ((change: T) => void)[] = [];

  /** Calls back from now on until the signal; who comes or goes meanwhile changes nothing about a call under way. */
  add(listener: (change: T) => void, signal?: AbortSignal): void {
    if (signal?.aborted === true) return;
    this.#all = [...this.#all, listener];
    const end = (): void => {
      this.#all = this.#all.filter((one) => one !== listener);
    };
    signal?.addEventListener("abort", end, { once: true });
  }

  /** Calls all back, in the order in which they came. */
  tell(change: T): void {
    for (const listener of this.#all) listener(change);
  }
}
