/* How the memory comes back: `npm run bench -- release`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compile, measure, protecting, SIGKILL, SIGTERM, type Times } from "./programs.js";
import { ms, show, sizeText, times } from "./report.js";
import { fillable, type Group, inRounds, type Measured, showMissing } from "./rounds.js";
import { GiB, MiB, median } from "./units.js";

const kinds = compile("test/targets/kinds.c");
const smallPages = compile("test/targets/small-pages.c");
const backOf = ({ back }: Times) => back;
const medianOf = (results: readonly Times[] | undefined, figure: (times: Times) => number) =>
  median((results ?? []).map(figure));

/** What a release may take longer than a plain exit. */
const mostLonger = 0.002;
const mostTimes = 1.05;

/** Runs it with a file of so many bytes, and pages of the pool; all is given back. */
async function withFileAndPool(
  bytes: number,
  act: (file: string, canPool: boolean) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
  const pool = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
  const before = existsSync(pool) ? readFileSync(pool, "utf8") : "0";
  const wanted = Number(before) + (512 * MiB) / (2 * MiB);

  try {
    writeFileSync(join(folder, "file"), Buffer.alloc(bytes, 1));
    let canPool = false;
    if (process.getuid?.() === 0 && existsSync(pool)) {
      writeFileSync(pool, String(wanted));
      canPool = Number(readFileSync(pool, "utf8")) >= wanted;
    }
    await act(join(folder, "file"), canPool);
  } finally {
    if (process.getuid?.() === 0 && existsSync(pool)) writeFileSync(pool, before);
    rmSync(folder, { recursive: true });
  }
}

function kindsTable(measured: readonly Measured<Times>[]): void {
  show(
    "Memory back by kind and size, SIGKILL until the last process has ended; medians",
    [
      "",
      "rounds",
      "plain",
      "one worker",
      "auto",
      "auto, of plain",
      "exit: plain",
      "exit: auto",
      "slower than allowed",
    ],
    measured
      .filter(({ reason }) => reason === undefined)
      .map(({ group, results: [plain, one, auto] }) => {
        const [byExit, byAuto] = [medianOf(plain, backOf), medianOf(auto, backOf)];
        const allowed = Math.max(byExit + mostLonger, byExit * mostTimes);
        return [
          group.name,
          String(plain?.length),
          ms(byExit),
          ms(medianOf(one, backOf)),
          ms(byAuto),
          times(byAuto / byExit),
          ms(medianOf(plain, ({ exit }) => exit)),
          ms(medianOf(auto, ({ exit }) => exit)),
          byAuto > allowed ? `by ${ms(byAuto - allowed)}` : "",
        ];
      }),
  );
  showMissing(measured);
}

type Kind = [kind: string, bytes: number, name: string, file?: string];

function kindGroup([kind, bytes, name, path = ""]: Kind): Group<Times> {
  const words = [kinds, kind, String(bytes), path];
  const cases = [words, [...protecting("/workers:1"), ...words], [...protecting(), ...words]];
  return {
    name: `${name}, ${Math.round(bytes / MiB) === bytes / MiB ? sizeText(bytes) : "234 MiB"}`,
    bytes,
    cases: cases.map((each) => () => measure({ words: each })),
  };
}

export async function benchSizes(deadline: number): Promise<void> {
  const sizes = [MiB, 16 * MiB, 64 * MiB, 256 * MiB, GiB, 4 * GiB, 8 * GiB];
  const groups = sizes.map((bytes) => kindGroup(["small", bytes, "4 KiB pages"]));

  kindsTable(await inRounds(groups, deadline, backOf));
}

export async function benchKinds(deadline: number): Promise<void> {
  const fileBytes = 256 * MiB;

  await withFileAndPool(fileBytes, async (file, canPool) => {
    const unlinked = "/dev/shm/async-teardown-bench";
    const all: Kind[] = [
      ["huge", GiB, "transparent huge pages"],
      ...(canPool
        ? ([
            ["hugetlb", 512 * MiB, "hugetlb"],
            ["hugememfd", 512 * MiB, "hugetlb memfd"],
          ] as Kind[])
        : []),
      ["locked", 256 * MiB, "locked"],
      ["memfd", GiB, "memfd"],
      ["deleted", 512 * MiB, "unlinked tmpfs file", unlinked],
      ["file", fileBytes, "file mapping, read", file],
      ["copied", fileBytes, "file mapping, copied", file],
      ["many", 60_000 * 4096, "60,000 mappings"],
      ["apart", 60_000 * 4096, "60,000 with gaps"],
      ["strips", 512 * MiB, "mappings of 128 KiB"],
      ["sparse", 256 * MiB, "sparse, 4 TiB"],
    ];
    if (!canPool) console.log("not measured: hugetlb, which needs root and free pages");
    kindsTable(await inRounds(all.map(kindGroup), deadline, backOf));
  });
}

const qemu = process.arch === "arm64" ? "qemu-system-aarch64" : "qemu-system-x86_64";
const qemuBytes = 4 * GiB;
const isQemuThere = (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, qemu)));

/** Variables of the stopwatch: it says hello by QMP before it has its memory. */
const whenFull = { RESIDENT: String(qemuBytes) };

/** A machine that never runs, all of whose memory is there, in 4 KiB pages. */
function qemuWords(...options: string[]): string[] {
  const machine = process.arch === "arm64" ? "-machine virt " : "";
  const idle = `${machine}-S -mem-prealloc -display none -nodefaults -accel tcg -monitor none -serial none -qmp stdio`;
  return [smallPages, qemu, ...idle.split(" "), "-m", `${qemuBytes / MiB}M`, ...options];
}

/** One of two machines dies; the other one stays. */
export async function benchQemuPair(deadline: number): Promise<void> {
  if (!isQemuThere) return console.log(`not measured: two QEMUs: ${qemu} is not there`);
  if (2 * qemuBytes > fillable())
    return console.log("not measured: two QEMUs: more than is free, less a tenth");
  const [command = "", ...words] = qemuWords();
  const other = spawn(command, words, { stdio: ["pipe", "pipe", "ignore"] });

  try {
    await once(other.stdout, "data");
    const residentPages = () => Number(readFileSync(`/proc/${other.pid}/statm`, "utf8").split(" ")[1]);
    while (residentPages() * 4096 < qemuBytes) await sleep(50);
    const one = qemuWords();
    const cases = [one, [...protecting(), ...one]].map(
      (each) => () => measure({ words: each, env: whenFull }),
    );
    const group = { name: "one of two QEMUs", bytes: qemuBytes, cases };
    const [measured] = await inRounds([group], deadline, backOf);
    if (measured?.reason !== undefined) return showMissing([measured]);
    const [plain, auto] = (measured?.results ?? []).map((each) => medianOf(each, backOf));

    show(
      `One of two QEMUs of ${sizeText(qemuBytes)} is killed; memory back, median of ${measured?.results[0]?.length}`,
      ["plain", "protected", "of plain"],
      [[ms(plain ?? 0), ms(auto ?? 0), times((auto ?? 0) / (plain ?? 1))]],
    );
  } finally {
    other.kill("SIGKILL");
    await once(other, "exit");
  }
}

/** All ways in which a machine ends, by QEMU's own helper and by ours. */
export async function benchQemu(deadline: number): Promise<void> {
  if (!isQemuThere) return console.log(`not measured: the ways in which a QEMU ends: ${qemu} is not there`);
  const quit = { ...whenFull, SAY: '{"execute":"qmp_capabilities"}{"execute":"quit"}\n' };
  const ends = [
    { name: "QMP quit", signal: "0", env: quit },
    { name: "SIGTERM", signal: SIGTERM, env: whenFull },
    { name: "SIGKILL", signal: SIGKILL, env: whenFull },
  ];
  const groups = ends.map(({ name, signal, env }): Group<Times> => {
    const cases = [qemuWords("-async-teardown"), [...protecting(), ...qemuWords()]];
    return { name, bytes: qemuBytes, cases: cases.map((words) => () => measure({ words, signal, env })) };
  });
  const measured = await inRounds(groups, deadline, backOf);

  show(
    `The end of a QEMU of ${sizeText(qemuBytes)} in 4 KiB pages; memory back`,
    ["", "rounds", "QEMU's own: median", "worst", "ours: median", "worst", "of QEMU's"],
    measured
      .filter(({ reason }) => reason === undefined)
      .map(({ group, results }) => {
        const figures = results.map((each) => each.map(backOf));
        const [own = [], ours = []] = figures;
        return [
          group.name,
          String(own.length),
          ms(median(own)),
          ms(Math.max(...own)),
          ms(median(ours)),
          ms(Math.max(...ours)),
          times(median(ours) / median(own)),
        ];
      }),
  );
  showMissing(measured);
}
