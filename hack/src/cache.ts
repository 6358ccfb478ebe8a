/** Where builds are kept, outside of the checkout. */
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Folder of everything that is built once: `$XDG_CACHE_HOME/berth`. */
export const cacheFolder = (env: Environment = process.env): string =>
  join(env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? "/root", ".cache"), "berth");
