import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { AsyncTeardownError } from "../../errors.js";
import { builtFile } from "../../linux/native.js";
import { runEmulator } from "./emulator.js";

const name = "qemu-async-teardown";

/** libvirtd's, by systemd. What is found with another PATH it would not find. */
const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

async function versionOf(emulator: string): Promise<string | undefined> {
  try {
    return await runEmulator(emulator, ["-version"], { environment });
  } catch {
    return undefined; // libvirt says what is wrong with it
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
  const version = await versionOf(real);

  for (const path of [beside, built, `/usr/local/bin/${named}`])
    if (existsSync(path) && version !== undefined && (await versionOf(path)) === version) return path;
  throw new AsyncTeardownError("ERR_EMULATOR", `there is no ${named} that becomes ${real}`, {
    advice: `link it beside that QEMU: ln -s ${built} ${beside}`,
  });
}
