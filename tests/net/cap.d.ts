/** The part of the addon `cap` that the tests use; it brings no types. */
declare module "cap" {
  export class Cap {
    open(device: string, filter: string, bufferSize: number, buffer: Buffer): string;
    on(event: "packet", listener: (length: number, truncated: boolean) => void): void;
    close(): void;
  }
}
