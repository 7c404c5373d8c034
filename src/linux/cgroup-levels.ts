import { existsSync } from "node:fs";
import { dirname } from "node:path/posix";
import { AsyncTeardownError } from "../errors.js";
import {
  type CgroupMount,
  directoryOf,
  type Hierarchy,
  namedDirectory,
  parseCgroupMounts,
  parseCgroups,
} from "./cgroup.js";
import { readAll } from "./kernel-file.js";

/** A cgroup that limits another one: that itself, or one above it. */
export interface CgroupLevel {
  /** Its path in the tree. */
  readonly path: string;
  readonly directory: string;
  readonly version: 1 | 2;
}

/** The controllers that limit what a process can have. */
export type Controller = "memory" | "hugetlb";

/** Where a controller is: in a hierarchy of version 1, otherwise in that of version 2. */
const hierarchiesOf = (controller: Controller): readonly Hierarchy[] => [controller, ""];

function treeOf(controller: Controller): CgroupMount | undefined {
  return parseCgroupMounts(readAll("/proc/self/mountinfo"), hierarchiesOf(controller))[0];
}

/** Whether the tree that would have the controller has it. */
export function hasController(controller: Controller): boolean {
  const mount = treeOf(controller);

  if (mount?.hierarchy !== "") return mount !== undefined;
  return readAll(`${mount.mountPoint}/cgroup.controllers`).split(/\s+/).includes(controller);
}

function directoryNamed(mount: CgroupMount | undefined, controller: Controller, cgroup: string): string {
  const refuse = (why: string): never => {
    throw new AsyncTeardownError(
      "ERR_CGROUP",
      `the memory of the cgroup '${cgroup}' cannot be known: ${why}`,
      {
        advice: `give one that is there, as a path in the tree of cgroups that has the ${controller} controller`,
      },
    );
  };

  if (!mount) return refuse(`no cgroup tree is mounted that has the ${controller} controller`);
  const directory = namedDirectory(mount, cgroup) ?? refuse("it leads out of the tree");

  return existsSync(`${directory}/cgroup.procs`)
    ? directory
    : refuse(`there is no such cgroup in ${mount.mountPoint}`);
}

/** The directory of this process's own cgroup; undefined where no mount shows it. */
function ownDirectory(mount: CgroupMount | undefined, controller: Controller): string | undefined {
  const path =
    mount && parseCgroups(readAll("/proc/self/cgroup"), hierarchiesOf(controller)).get(mount.hierarchy);
  return mount && path !== undefined ? directoryOf(mount, path) : undefined;
}

/** A cgroup's directory, and all that are above it, up to the mount point. */
function upwards(directory: string, mountPoint: string): string[] {
  return directory === mountPoint ? [directory] : [directory, ...upwards(dirname(directory), mountPoint)];
}

/**
 * A cgroup, and those above it, in the tree of a controller.
 * @param cgroup as a person names it, or undefined: that of this process
 * @throws AsyncTeardownError ERR_CGROUP where there is none of that name
 */
export function cgroupLevels(controller: Controller, cgroup: string | undefined): CgroupLevel[] {
  const mount = treeOf(controller);
  const directory =
    cgroup === undefined ? ownDirectory(mount, controller) : directoryNamed(mount, controller, cgroup);

  if (!mount || directory === undefined) return [];
  return upwards(directory, mount.mountPoint).map((level) => ({
    path: level.slice(mount.mountPoint.length) || "/",
    directory: level,
    version: mount.hierarchy === "" ? 2 : 1,
  }));
}
