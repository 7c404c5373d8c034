/** Containers of a real OCI runtime, of this machine's own programs, for tests. */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll } from "vitest";
import { programs } from "./paths.js";

export interface Hook {
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: readonly string[];
}

const place = mkdtempSync(join(tmpdir(), "async-teardown-oci-"));
const made: [runtime: string, id: string][] = [];

afterAll(async () => {
  for (const [runtime, id] of made) await execa(runtime, ["delete", "--force", id], { reject: false });
  rmSync(place, { recursive: true });
});

const bind = (folder: string) => ({
  destination: folder,
  type: "bind",
  source: folder,
  options: ["rbind", "ro"],
});

/** A bundle that runs a command on this machine's /usr and the programs of the tests. */
function makeBundle(id: string, command: readonly string[], poststart: readonly Hook[]): string {
  const bundle = join(place, id);
  const namespaces = ["pid", "mount", "ipc", "uts"].map((type) => ({ type }));

  mkdirSync(join(bundle, "rootfs/usr"), { recursive: true });
  for (const name of ["bin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(bundle, "rootfs", name));
  writeFileSync(
    join(bundle, "config.json"),
    JSON.stringify({
      ociVersion: "1.0.2",
      process: { user: { uid: 0, gid: 0 }, args: command, env: ["PATH=/usr/bin"], cwd: "/" },
      root: { path: "rootfs" },
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["mode=755"] },
        bind("/usr"),
        bind(programs),
      ],
      hooks: { poststart },
      linux: { namespaces, resources: { memory: { limit: 1 << 30 } } },
    }),
  );
  return bundle;
}

/** Starts a container; the test's end also ends it. */
export function runContainer(
  runtime: string,
  id: string,
  command: readonly string[],
  hooks: readonly Hook[] = [],
): void {
  const bundle = makeBundle(id, command, hooks);
  const log = openSync(join(bundle, "log"), "w");

  made.push([runtime, id]);
  try {
    const words = ["run", "--detach", "--bundle", bundle, id];
    const { status } = spawnSync(runtime, words, { stdio: ["ignore", log, log], timeout: 60_000 });
    if (status !== 0) throw new Error(readFileSync(join(bundle, "log"), "utf8").trim());
  } finally {
    closeSync(log);
  }
}

/** What the runtime says of a container; undefined where it knows none. */
export async function stateOf(runtime: string, id: string) {
  const { exitCode, stdout } = await execa(runtime, ["state", id], { reject: false });
  return exitCode === 0 ? (JSON.parse(stdout) as { pid: number; status: string }) : undefined;
}

/** Why no container runs here, or undefined. */
export function noContainer(runtime: string): string | undefined {
  if (process.getuid?.() !== 0) return "containers are run as root only: not tested";
  try {
    runContainer(runtime, `at-trial-${runtime}-${process.pid}`, ["/bin/true"]);
    return undefined;
  } catch (error) {
    return `${runtime} runs no container here: ${(error as Error).message.split("\n")[0]}`;
  }
}
