import { processesIn } from "../../linux/cgroup-processes.js";
import { memoryOf } from "../../linux/procfs.js";
import type { AddressSpace } from "../../teardown/address-space.js";
import { list } from "../../teardown/list.js";
import { totalBytes } from "../../teardown/totals.js";
import { type FileState, stateOfFile } from "../sealed-file.js";
import { findService } from "./service.js";
import { checkSystemd, showService } from "./systemctl.js";
import { dropInPath, templatePath, unitFolder } from "./unit-files.js";
import { isOfService, templateOf } from "./unit-name.js";

/** Whether, and how, a service is protected. */
export interface ServiceStatus {
  readonly service: string;
  /** By a drop-in of its own, or of its template. */
  readonly isEnabled: boolean;
  /** Our files, and those in their place: "other" was changed by somebody else. */
  readonly files: readonly { readonly path: string; readonly state: FileState }[];
  /** Those that run now. */
  readonly processes: readonly { readonly pid: number; readonly isMain: boolean; readonly isHeld: boolean }[];
  /** In the memory of all of them; what they share is counted once. */
  readonly residentBytes: number;
  /** Address spaces of the service's dead processes. */
  readonly releasing: readonly AddressSpace[];
}

/** @throws AsyncTeardownError ERR_NO_SYSTEMD, ERR_UNIT, ERR_SYSTEMCTL, ERR_NO_PROC */
export async function serviceStatus(word: string, isUser: boolean): Promise<ServiceStatus> {
  checkSystemd(isUser);
  const { service, running } = await findService(isUser, word);
  const template = templateOf(service);
  const names = template === undefined ? [service] : [service, template];
  const folders = [false, true].map((isRuntime) => unitFolder({ isUser, isRuntime }));
  const dropIns = folders.flatMap((folder) => names.map((name) => dropInPath(folder, name)));
  const files = [...dropIns, ...folders.map(templatePath)].map((path) => ({
    path,
    state: stateOfFile(path),
  }));
  const units = await Promise.all(running.map((unit) => showService(isUser, unit)));
  const mains = new Set(units.map(({ mainPid }) => mainPid));
  const { addressSpaces } = await list();
  const protecting = new Set(addressSpaces.flatMap(({ protectors }) => protectors.map(({ pid }) => pid)));
  const pids = units
    .flatMap(({ cgroup }) => (cgroup === "" ? [] : processesIn(cgroup)))
    .filter((pid) => !protecting.has(pid));
  const held = new Set(
    addressSpaces
      .filter(({ state, protectors }) => state === "protected" && protectors.some(isHolder))
      .map(({ target }) => target),
  );

  return {
    service,
    isEnabled: dropIns.some((path) => stateOfFile(path) === "ours"),
    files: files.filter(({ state }) => state !== "missing"),
    processes: pids.map((pid) => ({ pid, isMain: mains.has(pid), isHeld: held.has(pid) })),
    residentBytes: totalBytes(pids.map(memoryOf).filter((memory) => memory !== undefined)),
    releasing: addressSpaces.filter(
      ({ unit, state }) => isOfService(unit, service) && (state === "releasing" || state === "target gone"),
    ),
  };
}

const isHolder = ({ mechanism }: { mechanism: string }) => mechanism === "holder";
