import { execFile } from "node:child_process";
import { AsyncTeardownError } from "../../errors.js";
import type { QemuOption } from "./ways.js";

/** The longest that a QEMU may take to answer, in milliseconds; a tenth of a second is usual. */
const longest = 60_000;

/** A machine without anything, which only answers; libvirt asks in the same way. Its accelerator is not used. */
const words = ["-machine", "none,accel=tcg:kvm", "-nodefaults", "-no-user-config", "-display", "none"];
const questions = ["qmp_capabilities", "query-version", "query-command-line-options", "quit"];

interface Answers {
  readonly version: readonly [major: number, minor: number];
  /** The parameters of -run-with; none where QEMU does not have it. */
  readonly runWith: readonly string[];
}

/** Reads what QEMU answers to the questions, a JSON object a line; undefined where an answer is missing. */
export function parseAnswers(text: string): Answers | undefined {
  const answers = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { return?: unknown })
    .flatMap((answer) => (answer.return === undefined ? [] : [answer.return]));
  const [, version, options] = answers as [
    unknown,
    { qemu?: { major: number; minor: number } } | undefined,
    { option: string; parameters: { name: string }[] }[] | undefined,
  ];

  if (!version?.qemu || !Array.isArray(options)) return undefined;
  const runWith = options.find(({ option }) => option === "run-with")?.parameters ?? [];
  return { version: [version.qemu.major, version.qemu.minor], runWith: runWith.map(({ name }) => name) };
}

/** The option by which this QEMU protects itself; undefined where it has none. */
export function optionOf({ version: [major, minor], runWith }: Answers): QemuOption | undefined {
  if (runWith.includes("async-teardown")) return "-run-with";
  return major === 8 || (major === 7 && minor >= 2) ? "-async-teardown" : undefined;
}

interface RunOptions {
  /** What it reads. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a QEMU that only answers, and gives what it writes. */
function runEmulator(
  emulator: string,
  args: readonly string[],
  { input = "", environment }: RunOptions,
): Promise<string> {
  const limits = { timeout: longest, killSignal: "SIGKILL", maxBuffer: 2 ** 24 } as const;

  return new Promise((resolve, reject) => {
    const options = { ...limits, env: environment ?? process.env };
    const child = execFile(emulator, args, options, (error, stdout, stderr) => {
      const said = stderr.trim().split("\n", 1)[0];
      if (!error) return resolve(stdout);
      const { code, signal } = error as { code?: string | number | null; signal?: string | null };
      const end = signal ? `ended by ${signal}` : typeof code === "string" ? code : `exit code ${code}`;
      reject(new Error(said ? `${end}: ${said}` : end));
    });
    child.stdin?.on("error", () => {}); // it may end without having read; its exit code says so
    child.stdin?.end(input);
  });
}

function ask(emulator: string): Promise<string> {
  const input = questions.map((execute) => `${JSON.stringify({ execute })}\n`).join("");
  return runEmulator(emulator, [...words, "-qmp", "stdio"], { input });
}

/** Has a QEMU answer, and says in our words what went wrong. */
async function attempt<Result>(
  emulator: string,
  ask: () => Promise<Result>,
  advice: string,
): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    const why = (cause as Error).message;
    throw new AsyncTeardownError("ERR_EMULATOR", `${emulator} could not be asked what it can do: ${why}`, {
      advice,
      cause,
    });
  }
}

/**
 * Asks a QEMU of this machine for the option by which it protects itself; undefined where it has none.
 * @throws AsyncTeardownError ERR_EMULATOR
 */
export async function askEmulator(emulator: string): Promise<QemuOption | undefined> {
  const options = async () => {
    const answers = parseAnswers(await ask(emulator));
    if (!answers) throw new Error("it gave no answer");
    return optionOf(answers);
  };
  return await attempt(emulator, options, "name the way yourself, by --via");
}

/**
 * Asks a QEMU of this machine for what it says of its version.
 * @throws AsyncTeardownError ERR_EMULATOR
 */
export async function askVersion(
  emulator: string,
  environment?: Readonly<Record<string, string>>,
): Promise<string> {
  const options = environment === undefined ? {} : { environment };
  const version = () => runEmulator(emulator, ["-version"], options);
  return await attempt(emulator, version, "does it run by hand, with -version?");
}
