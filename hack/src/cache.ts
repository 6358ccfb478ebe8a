/** Where builds are kept, outside of the checkout. */
import { join } from "node:path";

/** Folder of everything that is built once: `$XDG_CACHE_HOME/berth`. */
export const cacheFolder = (): string =>
  join(process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? "/root", ".cache"), "berth");
