import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { program } from "../support/paths.js";

it("two new workers that move off their CPUs at once may both run on all of them afterwards", () => {
  expect(execFileSync(program("movers"), ["3000"], { encoding: "utf8", timeout: 50_000 })).toBe("0\n0\n");
});
