/** Builds the announcer as one static program, and checks the crate. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { attempt, run } from "./shell.ts";

const crate = join(import.meta.dirname, "../../announcer");
const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
const environment = { CARGO_TARGET_DIR: join(cacheFolder(), "target") };

/** Path of the release build, statically linked: with musl where rustup has it, else with glibc's static libraries. */
export async function buildAnnouncer(): Promise<string> {
  const [target, flags] = await staticTarget();
  const settled = renewStale(target);
  await run("cargo", ["build", "--release", "--locked", "--target", target], {
    cwd: crate,
    env: { ...environment, RUSTFLAGS: flags },
  });
  settled();
  return join(environment.CARGO_TARGET_DIR, target, "release/announcer");
}

/**
 * Has Cargo build anew what it last built from other sources: it goes by their age, so that of two checkouts which share the
 * folder one would be given the other's program. Gives what is to be called once the build has succeeded.
 */
function renewStale(target: string): () => void {
  const stamp = join(environment.CARGO_TARGET_DIR, `${target}.sources`);
  const files = sources();
  const hash = createHash("sha256");
  for (const file of files) hash.update(file.slice(crate.length)).update(readFileSync(file));
  const now = hash.digest("hex");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== now) {
    // One that is interrupted leaves no stamp behind.
    rmSync(stamp, { force: true });
    for (const file of files) utimesSync(file, new Date(), new Date());
  }
  return () => {
    mkdirSync(environment.CARGO_TARGET_DIR, { recursive: true });
    writeFileSync(stamp, now);
  };
}

/** What the program is made of, but for its dependencies. */
const sources = (): readonly string[] => [
  ...["Cargo.toml", "Cargo.lock"].map((file) => join(crate, file)),
  ...readdirSync(join(crate, "src"), { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((file) => join(crate, "src", file))
    .filter((file) => statSync(file).isFile()),
];

async function staticTarget(): Promise<readonly [string, string]> {
  const musl = `${machine}-unknown-linux-musl`;
  const installed = await attempt("rustup", ["target", "list", "--installed"], { cwd: crate }).catch(() => undefined);
  if (installed?.stdout.split("\n").includes(musl)) return [musl, ""];
  return [`${machine}-unknown-linux-gnu`, "-C target-feature=+crt-static"];
}

/** Format, lints and tests of the crate, their output as it comes; the exit code of the first that fails. */
function checkAnnouncer(): number {
  const steps = [
    ["fmt", "--check"],
    ["clippy", "--locked", "--all-targets", "--", "-D", "warnings"],
    ["test", "--locked", "--quiet"],
  ];
  for (const step of steps) {
    const { status } = spawnSync("cargo", step, {
      cwd: crate,
      stdio: "inherit",
      env: { ...process.env, ...environment },
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

if (import.meta.main) {
  if (process.argv[2] === "check") process.exit(checkAnnouncer());
  console.log(await buildAnnouncer());
}
