import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holderStages, parseReport } from "../../src/linux/holder-report.js";
import { root } from "../support/paths.js";

describe("the report of a holder", () => {
  const stages = fc.constantFrom(...holderStages);
  const step = fc.stringMatching(/^[a-z' :]{1,60}$/);

  it("is its PID, or the stage that failed, an errno, and words for people", () => {
    fc.assert(
      fc.property(fc.nat(), stages, fc.nat(), step, (number, stage, errno, words) => {
        expect(parseReport(`armed ${number}\n`)).toEqual({ holderPid: number });
        expect(parseReport(`failed ${stage} ${errno} ${words}\n`)).toEqual({ stage, errno, step: words });
      }),
    );
  });

  it("is that of a holder that was killed, where it is cut off or anything else", () => {
    const killed = { stage: "killed", errno: 0 };

    for (const text of ["", "armed 12", "failed access 1 open it", "failed magic 1 open it\n"])
      expect(parseReport(text)).toMatchObject(killed);
    fc.assert(fc.property(fc.string(), (text) => !("holderPid" in parseReport(text.replace("armed", "")))));
  });

  it("has the stages that the holder knows, in the same order", () => {
    const header = readFileSync(join(root, "native/holder/report.h"), "utf8");
    const known = [...header.matchAll(/EACH\(STAGE_\w+, "(\w+)"\)/g)].map(([, name]) => name);

    expect(known).toEqual(holderStages);
  });
});
