import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By name: the demo first, on a lab that nobody has used yet. */
class InOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((left, right) => (left.moduleId < right.moduleId ? -1 : 1)));
  }
}

/** Tests on a lab, which is one for all files of a project. */
const onLab = {
  setupFiles: ["tests/support/on-failure.ts"],
  // What tells of a failure is registered first, and is to come before a file clears up.
  sequence: { hooks: "list" as const },
  testTimeout: 300_000,
  hookTimeout: 600_000,
  fileParallelism: false,
};

export default defineConfig({
  test: {
    sequence: { sequencer: InOrder },
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/{core,cluster,capabilities,hack}/**/*.test.ts", "tests/e2e/*/*.test.ts"],
          testTimeout: 30_000,
          // Pepr registers all bindings in this mode, and starts nothing.
          env: { PEPR_MODE: "dev", LOG_LEVEL: "silent", BERTH_LOG_LEVEL: "silent" },
        },
      },
      {
        test: {
          name: "net",
          include: ["tests/net/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/e2e/*.test.ts"],
          globalSetup: ["tests/e2e/setup.ts"],
          ...onLab,
        },
      },
      {
        test: {
          name: "ways",
          include: ["tests/ways/*.test.ts"],
          globalSetup: ["tests/e2e/setup.ts"],
          ...onLab,
        },
      },
      {
        test: {
          name: "migration",
          include: ["tests/migration/*.test.ts"],
          globalSetup: ["tests/migration/setup.ts"],
          ...onLab,
        },
      },
    ],
  },
});
