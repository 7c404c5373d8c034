import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const isForUnits = (file: string) =>
  !/from "(execa|node:child_process|.*\/support\/(?!paths|memory).*)"/.test(readFileSync(file, "utf8"));

/** Test files that start no process; test/README.md has the rule. */
const unit = readdirSync("test", { recursive: true, encoding: "utf8" })
  .map((name) => `test/${name}`)
  .filter((file) => file.endsWith(".test.ts") && !file.startsWith("test/e2e/") && isForUnits(file));

/** What is compiled once, before the tests that start processes. */
const globalSetup = "test/support/compile.ts";

export default defineConfig({
  test: {
    setupFiles: "test/support/property-seed.ts",
    testTimeout: 60_000,
    hookTimeout: 300_000, // packs and installs the package, boots systemd
    // Each project has its turn.
    projects: [
      {
        extends: true,
        // Nothing of a parser's is left for the next file: all in one process, which starts once.
        test: { name: "unit", include: unit, isolate: false, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "native",
          include: ["test/**/*.test.ts"],
          exclude: [...unit, "test/e2e/**"],
          globalSetup,
          // They look at all of the machine's address spaces, and change its limits and pools: one at a time.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup,
          // Each looks at nothing but its own component, and mostly waits for it.
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
