import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSharedObjects } from "../../src/linux/shared-memory.js";
import { shareOut } from "../../src/protect/shared-objects.js";

const postmaster = `55d0c0000000-55d0c0100000 r--p 00000000 fe:00 4711                       /usr/lib/postgresql/15/bin/postgres
7fa60c22a000-7fa60c231000 rw-s 00000000 00:1a 3                          /dev/shm/PostgreSQL.2434
7fa60c300000-7fa60c400000 rw-s 00000000 00:1a 4                          /dev/shm/PostgreSQL.1234 (deleted)
7fa681ee5000-7fa70ccbf000 rw-s 00000000 00:01 31640                      /dev/zero (deleted)
7fa70ccbf000-7fa70cccf000 r--s 8add0000 00:01 31640                      /dev/zero (deleted)
7fa70f446000-7fa70f447000 rw-s 00000000 00:01 32817                      /SYSV00162028 (deleted)
7fa70f447000-7fa70f449000 rw-p 00000000 00:01 32818                      /memfd:private (deleted)
7fa70f449000-7fa70f44a000 rw-s 00000000 00:0f 1                          anon_inode:[io_uring]
7fffb1c6e000-7fffb1c8f000 rw-p 00000000 00:00 0                          [stack]
`;

describe("/proc/<pid>/maps", () => {
  it("tells which shared memory a process maps, each object once", () => {
    expect(parseSharedObjects(postmaster)).toEqual([
      { key: "00:1a 4", range: "7fa60c300000-7fa60c400000", bytes: 0x100000 },
      { key: "00:01 31640", range: "7fa681ee5000-7fa70ccbf000", bytes: 0x8adea000 },
      { key: "00:01 32817", range: "7fa70f446000-7fa70f447000", bytes: 0x1000 },
    ]);
  });

  it("is read whatever stands in it", () => {
    fc.assert(fc.property(fc.string(), (text) => parseSharedObjects(text).length === 0));
  });
});

const MiB = 2 ** 20;
const object = (key: string, bytes: number) => ({ key, range: `${key}-`, bytes });

describe("the shared memory of a service", () => {
  it("is kept where it is large and several have it, by the first one's holder", () => {
    const [buffers, small, own, workers] = [
      object("buffers", 2048 * MiB),
      object("small", 63 * MiB),
      object("own", 1024 * MiB),
      object("workers", 64 * MiB),
    ];
    const shares = shareOut([
      { pid: 1, objects: [small, own, buffers] },
      { pid: 2, objects: [buffers, small, workers] },
      { pid: 3, objects: [workers, buffers] },
    ]);

    expect([...shares]).toEqual([
      [1, [buffers]],
      [2, [workers]],
      [3, []],
    ]);
  });

  it("is kept eight objects a holder, the largest", () => {
    const objects = Array.from({ length: 12 }, (_, index) => object(String(index), (100 + index) * MiB));
    const shares = shareOut([1, 2].map((pid) => ({ pid, objects })));

    expect(shares.get(1)?.map(({ key }) => key)).toEqual(["11", "10", "9", "8", "7", "6", "5", "4"]);
    expect(shares.get(2)).toEqual([]);
  });
});
