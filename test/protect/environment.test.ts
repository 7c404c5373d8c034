import { expect, it } from "vitest";
import { protectingVariables } from "../../src/protect/environment.js";
import { library } from "../support/paths.js";

it("what was preloaded comes behind ours, once each time", () => {
  expect(protectingVariables(undefined, {}).LD_PRELOAD).toBe(library);
  expect(protectingVariables("", {}).LD_PRELOAD).toBe(library);
  expect(protectingVariables("a.so  b.so:c.so", {}).LD_PRELOAD).toBe(`${library}:a.so:b.so:c.so`);
  expect(protectingVariables(`a.so:${library}`, {}).LD_PRELOAD).toBe(`${library}:a.so`);
});

it("a process is named by its number and its namespace's, or left to be the first that comes", () => {
  expect(protectingVariables(undefined, {}).ASYNC_TEARDOWN).toBe("pid:0000000000/ns:0000000000/strict:1");
  expect(protectingVariables(undefined, { pid: 42 }).ASYNC_TEARDOWN).toMatch(
    /^pid:0000000042\/ns:40265\d{5}\/strict:1$/,
  );
  expect(protectingVariables(undefined, { bestEffort: true }).ASYNC_TEARDOWN).toMatch(/\/strict:0$/);
});

it("the value needs no quoting in a unit, supervisord, an env-file, crontab, YAML or a shell", () => {
  const { ASYNC_TEARDOWN } = protectingVariables(undefined, {
    pid: 42,
    workers: 3,
    rate: 2 ** 31,
    priority: "idle",
  });
  expect(ASYNC_TEARDOWN).toMatch(/^[a-z][a-z0-9:/]+$/);
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
