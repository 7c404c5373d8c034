import { expect, it } from "vitest";
import { protectingVariables } from "../../src/protect/preload-variables.js";
import { library } from "../support/paths.js";

it("ours comes behind what was preloaded, once each time", () => {
  expect(protectingVariables(undefined, {}).LD_PRELOAD).toBe(library);
  expect(protectingVariables("", {}).LD_PRELOAD).toBe(library);
  expect(protectingVariables("a.so  b.so:c.so", {}).LD_PRELOAD).toBe(`a.so:b.so:c.so:${library}`);
  expect(protectingVariables(`${library}:a.so`, {}).LD_PRELOAD).toBe(`a.so:${library}`);
  // Another version's would make a second helper.
  expect(protectingVariables("/old/libasync-teardown.so a.so", {}).LD_PRELOAD).toBe(`a.so:${library}`);
});

it("the process is left to be the first that comes", () => {
  expect(protectingVariables(undefined, {}).ASYNC_TEARDOWN).toBe("pid:0000000000/ns:0000000000/strict:1");
  expect(protectingVariables(undefined, { bestEffort: true }).ASYNC_TEARDOWN).toMatch(/\/strict:0$/);
});

it("release options follow, those that are not as usual", () => {
  const said = (options: Parameters<typeof protectingVariables>[1]) =>
    protectingVariables(undefined, options).ASYNC_TEARDOWN;

  expect(said({ workers: "auto", priority: "normal" })).toBe(said({}));
  expect(said({ bestEffort: true, workers: 3, rate: 2 ** 31, priority: "idle" })).toBe(
    `${said({ bestEffort: true })}/workers:3/rate:2147483648/priority:idle`,
  );
  expect(() => said({ workers: 0 })).toThrow("from 1 to 64, not 0");
});
