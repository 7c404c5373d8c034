/** Cgroups of version 1 or 2, for tests. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { afterAll } from "vitest";
import { parseCgroupMounts } from "../../src/linux/cgroup.js";
import { until } from "./proc.js";

/** A cgroup of the test's own. */
export interface TestCgroup {
  /** Its path in the tree. */
  readonly path: string;
  readonly directory: string;
  readonly version: 1 | 2;
}

const made: string[] = [];

/** Fails while a thread of a process in it is still giving memory back. */
function isRemoved(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return !existsSync(directory);
  }
}

afterAll(async () => {
  for (const directory of made.splice(0).reverse())
    await until(() => isRemoved(directory), `${directory} is empty`);
});

function make(cgroup: TestCgroup): TestCgroup {
  mkdirSync(cgroup.directory);
  made.push(cgroup.directory);
  return cgroup;
}

/** Where the tree with this controller is, and of which version. */
function treeOf(controller: string): Pick<TestCgroup, "directory" | "version"> | undefined {
  const [unified] = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"), [""]);

  if (existsSync(`/sys/fs/cgroup/${controller}/tasks`))
    return { directory: `/sys/fs/cgroup/${controller}`, version: 1 };
  return unified && { directory: unified.mountPoint, version: 2 };
}

/** A cgroup, at the top of the tree, that has this controller; or why there is none. */
export function makeCgroup(controller: "memory" | "cpu" | "hugetlb" | "pids"): TestCgroup | string {
  const tree = treeOf(controller);
  const path = `/async-teardown-${controller}-${process.pid}`;

  if (!tree) return "no cgroup tree is mounted";
  try {
    if (tree.version === 2) writeFileSync(`${tree.directory}/cgroup.subtree_control`, `+${controller}`);
    return make({ path, directory: tree.directory + path, version: tree.version });
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

/** Puts a process into it. */
export function move(pid: number, { directory }: TestCgroup): void {
  writeFileSync(`${directory}/cgroup.procs`, String(pid));
}

/** A command that starts in a cgroup. */
export function startIn({ directory }: TestCgroup, words: readonly string[]): string[] {
  return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', directory, ...words];
}
