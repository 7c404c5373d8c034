import { readdirSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { ownerOfProcess } from "../../linux/procfs.js";
import { findProtectors, type Protector } from "../../linux/protectors.js";
import { endHolder } from "../../protect/detach.js";
import { stateOfFile } from "../sealed-file.js";
import { checkOurs, type EnableOptions, permissionError, removeIfEmpty } from "./enable.js";
import { isHoldScope } from "./hold-scope.js";
import { checkSystemd, systemctl } from "./systemctl.js";
import { dropInPath, templatePath, unitFolder } from "./unit-files.js";
import { isOfService, serviceName } from "./unit-name.js";

/** What was done, or would be. */
export interface Disabled {
  readonly service: string;
  readonly files: readonly string[];
  /** Holders that hold its processes on, or with isNow: that were ended. */
  readonly holders: readonly { readonly pid: number; readonly target: number }[];
}

/** The holders that systemd started for a service whose processes live. */
export async function holdersOfService(service: string): Promise<Protector[]> {
  const { protectors } = await findProtectors();

  return protectors.filter(
    ({ pid, mechanism, owner, isTargetGone }) =>
      mechanism === "holder" &&
      !isTargetGone &&
      isOfService(owner?.unit, service) &&
      isHoldScope(ownerOfProcess(pid)?.unit),
  );
}

/** Whether another service still needs the template of this folder. */
function hasOtherDropIns(folder: string, path: string): boolean {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".service.d"))
    .map((name) => dropInPath(folder, name.slice(0, -".d".length)))
    .some((other) => other !== path && stateOfFile(other) !== "missing");
}

/** Our files for this service in one folder of units. */
function filesIn(folder: string, service: string): string[] {
  const [dropIn, template] = [dropInPath(folder, service), templatePath(folder)];

  checkOurs(dropIn);
  if (stateOfFile(dropIn) === "missing") return [];
  const isLast = !hasOtherDropIns(folder, dropIn) && stateOfFile(template) === "ours";
  return [dropIn, ...(isLast ? [template] : [])];
}

/**
 * Takes the protection away from the next start on, and from now on where asked for. Nothing is done where a
 * file is not as it was written.
 * @throws AsyncTeardownError ERR_NO_SYSTEMD, ERR_UNIT, ERR_CHANGED, ERR_NOT_PERMITTED, ERR_SYSTEMCTL
 */
export async function disable(word: string, options: EnableOptions): Promise<Disabled> {
  const { isUser, isRuntime, isNow, isDryRun } = options;
  const service = serviceName(word);
  checkSystemd(isUser);
  const scopes = (isRuntime ? [true] : [false, true]).map((each) => ({ isUser, isRuntime: each }));
  const files = scopes.flatMap((scope) => filesIn(unitFolder(scope), service));
  const holders = await holdersOfService(service);

  if (!isDryRun) {
    try {
      for (const path of files) {
        unlinkSync(path);
        removeIfEmpty(dirname(path));
      }
    } catch (error) {
      throw permissionError(error);
    }
    if (files.length > 0) await systemctl(isUser, "daemon-reload");
    if (isNow) for (const { target, pid } of holders) await endHolder(target, pid);
  }
  return { service, files, holders: holders.map(({ pid, target }) => ({ pid, target })) };
}
