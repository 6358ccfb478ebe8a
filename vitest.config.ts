import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/{core,cluster,capabilities,hack}/**/*.test.ts"],
          // Pepr registers all bindings in this mode, and starts nothing.
          env: { PEPR_MODE: "dev", LOG_LEVEL: "silent" },
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
          include: ["tests/e2e/**/*.test.ts"],
          globalSetup: ["tests/e2e/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
