// @ts-check
/**
 * Feeds the readers of native/ with what libFuzzer thinks of, under AddressSanitizer and UBSan:
 *
 *   npm run fuzz -- [--seconds SECONDS] [READER...]
 *
 * SECONDS, 20 if none are given, are for all of them together. It begins with test/fuzz/seeds/<reader>/ and with what it
 * found in earlier runs, build/fuzz/<reader>/. An input that fails is left in build/fuzz/: it becomes a seed with the mend.
 * The seeds are read in every `npm test` as well. Needs clang 14; without it, nothing is done, with a word.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { environment, flags, sources } from "../support/reader-sources.js";

process.chdir(join(fileURLToPath(import.meta.url), "../../.."));

const compiler = "clang-14";
const output = "build/fuzz";
const fuzzer = `${output}/fuzzer`;
const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "20" } },
  allowPositionals: true,
});
const readers = positionals.length > 0 ? positionals : readdirSync("test/fuzz/seeds").sort();
const workers = Math.min(availableParallelism(), readers.length);
/** For each; libFuzzer looks at the clock once a second, and so ends a second late. */
const seconds = Math.max(1, Math.floor((Number(values.seconds) * workers) / readers.length) - 1);

/** Whether no input made the reader fail. @param {string} reader @returns {Promise<boolean>} */
function fuzz(reader) {
  const found = `${output}/${reader}`;
  mkdirSync(found, { recursive: true });

  const child = spawn(
    fuzzer,
    [
      ...[`-max_total_time=${seconds}`, `-seed=${process.env.PROPERTY_SEED ?? 0}`, "-max_len=4096"],
      ...["-timeout=10", "-rss_limit_mb=1024", "-detect_leaks=0", `-artifact_prefix=${output}/${reader}-`],
      ...[found, `test/fuzz/seeds/${reader}`],
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...environment, READER: reader } },
  );
  let report = "";

  child.stderr.setEncoding("utf8").on("data", (text) => {
    report = (report + text).slice(-20_000);
  });
  return new Promise((resolve) => {
    child.on("close", (status) => {
      const runs = /^#(\d+)\s+DONE/m.exec(report)?.[1];
      process.stdout.write(status === 0 ? `${reader}: ${runs} inputs\n` : `${reader}: FAILED\n${report}`);
      resolve(status === 0);
    });
  });
}

async function fuzzAll() {
  for (let reader = readers.shift(); reader !== undefined; reader = readers.shift())
    if (!(await fuzz(reader))) process.exitCode = 1;
}

if (spawnSync(compiler, ["--version"]).status !== 0) {
  process.stderr.write(
    `async-teardown: ${compiler} is not here, and the readers are not fuzzed. ` +
      "On Debian 12: apt-get install clang-14 libclang-rt-14-dev.\n",
  );
} else {
  mkdirSync(output, { recursive: true });
  const { status } = spawnSync(
    compiler,
    [...flags, "-fsanitize=fuzzer", "-DFUZZ", "-o", fuzzer, ...sources],
    {
      stdio: "inherit",
    },
  );
  if (status === 0) await Promise.all(Array.from({ length: workers }, fuzzAll));
  else process.exitCode = 1;
}
