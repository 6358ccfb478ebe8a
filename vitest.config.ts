import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/net/**", "tests/e2e/**"],
    // Pepr registers bindings only outside of its watch mode, or in this one.
    env: { PEPR_MODE: "dev", LOG_LEVEL: "silent" },
  },
});
