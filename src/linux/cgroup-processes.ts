import { readdirSync, readFileSync } from "node:fs";
import { directoryOf, parseCgroupMounts } from "./cgroup.js";
import { readSetting } from "./kernel-file.js";

function processesBelow(directory: string): number[] {
  try {
    const own = readFileSync(`${directory}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
    const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());

    return [...own, ...folders.flatMap(({ name }) => processesBelow(`${directory}/${name}`))];
  } catch {
    return []; // the cgroup was removed while we looked, or is threaded
  }
}

/** The processes of a cgroup and of all below it; none where it is not there. */
export function processesIn(path: string): number[] {
  const mounts = parseCgroupMounts(readSetting("/proc/self/mountinfo") ?? "");

  for (const mount of mounts) {
    const directory = directoryOf(mount, path);
    const pids = directory === undefined ? [] : processesBelow(directory);
    if (pids.length > 0) return pids;
  }
  return [];
}
