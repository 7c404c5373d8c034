import { existsSync, rmdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  closeHolderCgroup,
  mountedHierarchies,
  openHolderCgroup,
  ownCgroupIn,
} from "../linux/holder-cgroup.js";
import type { Check } from "./check.js";

/** Makes the cgroup of holders where it is missing, and opens it, as an attach does. */
export function checkCgroup(): Check {
  const name = "cgroup";
  const trees = mountedHierarchies().map(
    ({ hierarchy, mountPoint }) =>
      `${hierarchy === "" ? "version 2" : `version 1, ${hierarchy}`} (${mountPoint})`,
  );
  const place = openHolderCgroup(undefined, "");

  closeHolderCgroup(place);
  if (place.warning === undefined) return { name, status: "ok", found: `${trees.join(" and ")}; writable` };
  return {
    name,
    status: "limited",
    found: place.warning,
    advice:
      "it ends where that whole cgroup is ended; attach as root and outside of containers, or into a cgroup that " +
      "may be written (attach --cgroup)",
  };
}

/** As long as a holder that has just ended may still be in it, a cgroup is busy. */
async function remove(directory: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") return; // not made; or it is not for us to remove
      await sleep(5);
    }
  }
}

/** Does something that may make the cgroup of holders, and removes it if it was not there before. */
export async function leavingNoCgroup<T>(act: () => Promise<T>): Promise<T> {
  const missing = mountedHierarchies()
    .map(ownCgroupIn)
    .filter((directory) => !existsSync(directory));

  try {
    return await act();
  } finally {
    for (const directory of missing) await remove(directory);
  }
}
