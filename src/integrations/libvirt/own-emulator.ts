import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { AsyncTeardownError } from "../../errors.js";
import { builtFile } from "../../linux/native.js";
import { askVersion } from "./emulator.js";

const name = "qemu-async-teardown";

/** libvirtd's, by systemd. What is found with another PATH it would not find. */
const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

/** Whether a launcher of that name is there, and becomes a QEMU that says so of its version. */
async function becomes(path: string, version: string): Promise<boolean> {
  try {
    return existsSync(path) && (await askVersion(path, environment)) === version;
  } catch {
    return false; // one that finds no QEMU
  }
}

/**
 * Finds the name of our launcher that becomes this very QEMU, also where libvirt asks it what it can do: then no
 * variable of the domain's is set.
 * @throws AsyncTeardownError ERR_EMULATOR, ERR_NOT_BUILT, ERR_PLATFORM
 */
export async function findOwnEmulator(real: string): Promise<string> {
  const built = builtFile(name);
  const [, arch] = /^qemu-system-(.+)$/.exec(basename(real)) ?? [];
  const named = arch === undefined ? name : `${name}-${arch}`;
  const beside = `${dirname(real)}/${named}`;
  // Without a suffix it becomes the one for this machine's CPU. QEMUs for others say the same of their version.
  const isForThisCpu = arch === undefined || arch === basename(dirname(built));
  const version = await askVersion(real);

  for (const path of [beside, ...(isForThisCpu ? [built] : []), `/usr/local/bin/${named}`])
    if (await becomes(path, version)) return path;
  throw new AsyncTeardownError("ERR_EMULATOR", `there is no ${named} that becomes ${real}`, {
    advice:
      arch === undefined
        ? `it is found as qemu-system-<arch> only: link it by such a name, and beside that ${built} as ${name}-<arch>`
        : `link it beside that QEMU: ln -s ${built} ${beside}`,
  });
}
