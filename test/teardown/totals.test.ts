import { describe, expect, it } from "vitest";
import { renderListing } from "../../src/cli/listing.js";
import { type AddressSpace, addressSpaceOf } from "../../src/teardown/address-space.js";
import { totalBytes, totalsOf } from "../../src/teardown/totals.js";

const MiB = 2 ** 20;

const space = (known: Partial<AddressSpace>): AddressSpace => ({
  ...addressSpaceOf(0, [], true),
  state: "protected",
  ...known,
});

const backend = { unit: "postgresql.service", heldBytes: 1100 * MiB, sharedBytes: 1000 * MiB };
const spaces = [
  space({ ...backend, target: 1 }),
  space({ ...backend, target: 2, heldBytes: 600 * MiB, sharedBytes: 590 * MiB }),
  space({ ...backend, target: 3, state: "releasing", heldBytes: null, sharedBytes: null }),
  space({ unit: "redis.service", target: 4, heldBytes: 50 * MiB, sharedBytes: 8 * MiB }),
  space({ container: "0123456789abcdef", target: 5, heldBytes: MiB, sharedBytes: 0 }),
  space({ container: "0123456789abcdef", target: 6, heldBytes: 2 * MiB, sharedBytes: 0 }),
  space({ target: 7, heldBytes: MiB, sharedBytes: 0 }),
];

describe("the memory of several processes", () => {
  it("has what they share once", () => {
    expect(totalBytes([])).toBe(0);
    expect(
      totalBytes([
        { ownBytes: 10, sharedBytes: 100 },
        { ownBytes: 5, sharedBytes: 90 },
      ]),
    ).toBe(115);
  });

  it("is told for each unit and container, of those that live", () => {
    expect(totalsOf(spaces)).toEqual([
      { unit: "postgresql.service", container: null, processes: 2, heldBytes: 1110 * MiB },
      { unit: "redis.service", container: null, processes: 1, heldBytes: 50 * MiB },
      { unit: null, container: "0123456789abcdef", processes: 2, heldBytes: 3 * MiB },
    ]);
  });

  it("stands below the table, where there are several", () => {
    const listing = { addressSpaces: spaces, hidden: 0, unconfirmed: [], hidesOthers: false };
    const lines = renderListing({ ...listing, totals: totalsOf(spaces) }).split("\n");

    expect(lines[0]).toMatch(/ HELD +SHARED /);
    expect(lines.slice(1 + spaces.length)).toEqual([
      "postgresql.service: 2 processes, 1.0 GiB held, what they share counted once",
      "0123456789ab: 2 processes, 3 MiB held, what they share counted once",
    ]);
  });
});
