import { expect, it } from "vitest";
import { protectingVariables, saysProtected } from "../../src/protect/environment.js";
import { library } from "../support/paths.js";

it("what was preloaded comes behind ours, once each time", () => {
  expect(protectingVariables(undefined, {}).LD_PRELOAD).toBe(library);
  expect(protectingVariables("", {}).LD_PRELOAD).toBe(library);
  expect(protectingVariables("a.so  b.so:c.so", {}).LD_PRELOAD).toBe(`${library}:a.so:b.so:c.so`);
  expect(protectingVariables(`a.so:${library}`, {}).LD_PRELOAD).toBe(`${library}:a.so`);
});

it("a process is named by its number and its namespace's, or left to be the first that comes", () => {
  expect(protectingVariables(undefined, {}).ASYNC_TEARDOWN).toBe("pid=0000000000,ns=0000000000");
  expect(protectingVariables(undefined, { pid: 42 }).ASYNC_TEARDOWN).toMatch(
    /^pid=0000000042,ns=40265\d{5}$/,
  );
  expect(protectingVariables(undefined, { bestEffort: true }).ASYNC_TEARDOWN).toMatch(/,best-effort$/);
});

it("only a value that names the process, without best effort, says that it is surely protected", () => {
  expect(saysProtected("pid=0000000042,ns=4026531836", 42)).toBe(true);
  expect(saysProtected("pid=0000000042,ns=4026531836,best-effort", 42)).toBe(false);
  expect(saysProtected("pid=0000000042,ns=4026531836,workers=2,priority=idle", 42)).toBe(true);
  expect(saysProtected("pid=0000000042,ns=4026531836,best-effort,workers=2", 42)).toBe(false);
  expect(saysProtected("pid=0000000042,ns=4026531836", 4)).toBe(false);
  expect(saysProtected("pid=0000000000,ns=0000000000", 42)).toBe(false);
  expect(saysProtected(undefined, 42)).toBe(false);
});

it("release options follow, those that are not as usual", () => {
  const said = (options: Parameters<typeof protectingVariables>[1]) =>
    protectingVariables(undefined, options).ASYNC_TEARDOWN;

  expect(said({ workers: "auto", priority: "normal" })).toBe(said({}));
  expect(said({ bestEffort: true, workers: 3, rate: 2 ** 31, priority: "idle" })).toBe(
    `${said({ bestEffort: true })},workers=3,rate=2147483648,priority=idle`,
  );
  expect(() => said({ workers: 0 })).toThrow("from 1 to 64, not 0");
});
