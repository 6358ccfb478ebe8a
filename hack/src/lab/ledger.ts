/** The record of a lab that is being brought up. */
import type { Paths } from "./paths.ts";
import { withPart, writeRecord, type LabRecord, type Part, type Shape } from "./record.ts";

/** Keeps the record on disk in step with what has been started, so that `down` finds it after a crash. */
export class Ledger {
  readonly #paths: Paths;
  #record: LabRecord;

  constructor(paths: Paths, shape: Shape) {
    this.#paths = paths;
    this.#record = { shape, apiPort: 0, ready: false, parts: [] };
    writeRecord(paths, this.#record);
  }

  /** Adds parts just started. */
  add(...parts: readonly Part[]): void {
    this.#record = parts.reduce(withPart, this.#record);
    writeRecord(this.#paths, this.#record);
  }

  /** Remembers the API server's port on the host, with the next part. */
  setPort(apiPort: number): void {
    this.#record = { ...this.#record, apiPort };
  }

  /** Remembers that the lab is complete. */
  setReady(): void {
    this.#record = { ...this.#record, ready: true };
    writeRecord(this.#paths, this.#record);
  }
}
