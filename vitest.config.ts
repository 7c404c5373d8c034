import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "test/support/compile.ts",
    // Tests fill memory and look at what becomes of it: one at a time.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 300_000, // installs packages
  },
});
