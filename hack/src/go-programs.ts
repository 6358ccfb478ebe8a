/** Programs written in Go, built once from the modules that hack/ pins and kept in the cache. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { findExecutable, installedFolders } from "./executables.ts";
import { run } from "./shell.ts";

/** A module: the folder in hack/ whose go.mod pins it, and the packages in it that are programs. */
export type GoModule = { readonly name: string; readonly module: string; readonly programs: readonly string[] };

/** The folder with the go.mod. */
export const moduleHome = ({ name }: Pick<GoModule, "name">): string => join(import.meta.dirname, "..", name);

/** The version of a module that a go.mod pins, such as "v0.16.1". */
export function pinnedModule(goMod: string, module: string): string {
  const lines = goMod.split("\n").map((line) =>
    line
      .trim()
      .replace(/^require /, "")
      .split(" "),
  );
  const version = lines.find(([path, found]) => path === module && found?.startsWith("v"))?.[1];
  if (version === undefined) throw new Error(`go.mod pins no version of ${module}`);
  return version;
}

/** The version of a module, its own if no other one is named, that its go.mod pins. */
export const pinnedVersion = (home: GoModule, module = home.module): string =>
  pinnedModule(readFileSync(join(moduleHome(home), "go.mod"), "utf8"), module);

/** Builds those programs that the folder lacks, with these `-X` flags for the linker; which takes minutes, and says so. */
export async function buildMissing(home: GoModule, folder: string, stamps: readonly string[] = []): Promise<void> {
  const missing = home.programs.filter((program) => !existsSync(join(folder, basename(program))));
  if (missing.length === 0) return;
  const names = missing.map((program) => basename(program));
  const what = `${names.join(", ")} of ${home.name} ${pinnedVersion(home)}`;
  if (findExecutable("go", installedFolders()) === undefined) {
    throw new Error(`there is no Go to build ${what} with; run hack/setup`);
  }
  process.stderr.write(`building ${what}, once; this takes minutes\n`);
  const building = `${folder}.building-${String(process.pid)}`;
  mkdirSync(building, { recursive: true });
  try {
    const packages = missing.map((program) => `${home.module}/${program}`);
    const flags = ["-s -w", ...stamps].join(" ");
    await run("go", ["build", "-trimpath", "-ldflags", flags, "-o", `${building}/`, ...packages], {
      cwd: moduleHome(home),
      env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
    });
    mkdirSync(folder, { recursive: true });
    for (const name of names) renameSync(join(building, name), join(folder, name));
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}
