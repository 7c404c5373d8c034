import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

const install = ["apt-get", "install", "--yes", "--no-install-recommends"] as const;

function isThere(file: string): boolean {
  const folders = file.startsWith("/") ? [""] : [...(process.env.PATH ?? "").split(":"), "/usr/sbin"];

  return folders.some((folder) => {
    try {
      accessSync(join(folder, file), constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function tryToInstall(packages: readonly string[]): Promise<void> {
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, reject: false } as const;
  const [command, ...words] = install;

  if ((await execa(command, [...words, ...packages], options)).failed) {
    await execa("apt-get", ["update"], options);
    await execa(command, [...words, ...packages], options);
  }
}

/**
 * Makes sure that a real program is there for a test, from Debian's packages where we are root. Returns
 * why not, for the test to skip with, or undefined.
 * @param file what has to be there: a command, or an absolute path
 */
export async function missing(file: string, ...packages: string[]): Promise<string | undefined> {
  if (!isThere(file) && process.getuid?.() === 0) await tryToInstall(packages);
  if (isThere(file)) return undefined;
  const reason = `${file} is missing: ${install.join(" ")} ${packages.join(" ")}`;

  if (process.env.CI) throw new Error(reason); // CI runs every test
  return reason;
}
