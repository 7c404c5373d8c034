import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { controllerSize, hugePagesIn } from "../../src/linux/huge-page-cgroup.js";

describe("hugetlb.<size>.* of a cgroup", () => {
  it("is named as the controller names sizes", () => {
    expect([2 ** 16, 2 ** 21, 2 ** 30, 2 ** 34].map(controllerSize)).toEqual(["64KB", "2MB", "1GB", "16GB"]);
  });

  it.each([
    [1, { limit_in_bytes: 8, usage_in_bytes: 2, "rsvd.limit_in_bytes": 6, "rsvd.usage_in_bytes": 3 }],
    [2, { max: 8, current: 2, "rsvd.max": 6, "rsvd.current": 3 }],
  ] as const)("limits pages in use and pages promised (version %d)", (version, files) => {
    const there = mkdtempSync(join(tmpdir(), "async-teardown-"));

    expect(hugePagesIn(there, version, 2 ** 21)).toBeUndefined();
    for (const [name, pages] of Object.entries(files))
      writeFileSync(join(there, `hugetlb.2MB.${name}`), `${pages * 2 ** 21}\n`);
    expect(hugePagesIn(there, version, 2 ** 21)).toEqual({ limit: 6, available: 3 });
    rmSync(there, { recursive: true });
  });
});
