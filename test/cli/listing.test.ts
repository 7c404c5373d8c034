import { describe, expect, it } from "vitest";
import { renderListing } from "../../src/cli/listing.js";

const nothing = { addressSpaces: [], totals: [], hidden: 0, unconfirmed: [], hidesOthers: false };

describe("a listing without a row", () => {
  it.each([
    [{}, "no process is protected, and no teardown is under way"],
    [{ hidden: 1 }, "no process is known to be protected, and no teardown to be under way"],
    [{ hidesOthers: true }, "no process is known to be protected, and no teardown to be under way"],
  ])("says no more than is known: %j", (seen, sentence) => {
    expect(renderListing({ ...nothing, ...seen })).toBe(sentence);
  });
});
