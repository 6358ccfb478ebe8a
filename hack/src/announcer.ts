/** Builds the announcer as one static program, and checks the crate. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { attempt, run } from "./shell.ts";

const crate = join(import.meta.dirname, "../../announcer");
const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
const environment = { CARGO_TARGET_DIR: join(cacheFolder(), "target") };

/** Path of the release build, statically linked: with musl where rustup has it, else with glibc's static libraries. */
export async function buildAnnouncer(): Promise<string> {
  const [target, flags] = await staticTarget();
  await run("cargo", ["build", "--release", "--locked", "--target", target], {
    cwd: crate,
    env: { ...environment, RUSTFLAGS: flags },
  });
  return join(environment.CARGO_TARGET_DIR, target, "release/announcer");
}

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
