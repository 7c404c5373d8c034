/** Cgroups with a memory limit, of version 1 or 2, for tests. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { afterAll } from "vitest";
import { parseCgroupMounts } from "../../src/linux/cgroup.js";

/** A cgroup of the test's own. */
export interface TestCgroup {
  /** Its path in the tree. */
  readonly path: string;
  readonly directory: string;
  readonly version: 1 | 2;
}

const made: string[] = [];

afterAll(() => {
  for (const directory of made.splice(0).reverse()) rmdirSync(directory);
});

function make(cgroup: TestCgroup): TestCgroup {
  mkdirSync(cgroup.directory);
  made.push(cgroup.directory);
  return cgroup;
}

/** A cgroup, at the top of the tree, that can have a memory limit; or why there is none. */
export function makeMemoryCgroup(): TestCgroup | string {
  const mounts = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"), ["memory", ""]);
  const path = `/async-teardown-test-${process.pid}`;
  const [mount] = mounts;

  if (!mount) return "no cgroup tree is mounted";
  const { mountPoint, hierarchy } = mount;

  try {
    if (hierarchy === "") writeFileSync(`${mountPoint}/cgroup.subtree_control`, "+memory");
    return make({ path, directory: mountPoint + path, version: hierarchy === "" ? 2 : 1 });
  } catch (error) {
    return `cannot make a cgroup: ${String(error)}`;
  }
}

/** A cgroup below another one. */
export function makeBelow({ path, directory, version }: TestCgroup, name: string): TestCgroup {
  if (version === 2) writeFileSync(`${directory}/cgroup.subtree_control`, "+memory");
  return make({ path: `${path}/${name}`, directory: `${directory}/${name}`, version });
}

/** Limits its memory, without swap. */
export function limitMemory({ directory, version }: TestCgroup, bytes: number): void {
  const [limit, swap] =
    version === 1 ? ["memory.limit_in_bytes", "memory.swappiness"] : ["memory.max", "memory.swap.max"];

  writeFileSync(`${directory}/${limit}`, String(bytes));
  try {
    writeFileSync(`${directory}/${swap}`, "0");
  } catch {
    // a kernel without swap
  }
}

/** A command that starts in a cgroup. */
export function startIn({ directory }: TestCgroup, words: readonly string[]): string[] {
  return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', directory, ...words];
}
