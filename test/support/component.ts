import { accessSync, constants } from "node:fs";
import { join } from "node:path";

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

/**
 * Why a real program is not there for a test to skip with, or undefined. Nothing is installed while tests run: it
 * would change the files below a booted systemd of another test. `.ci/install` has all packages.
 * @param file what has to be there: a command, or an absolute path
 */
export function missing(file: string, ...packages: string[]): string | undefined {
  if (isThere(file)) return undefined;
  const reason = `${file} is missing: apt-get install ${packages.join(" ")}`;

  if (process.env.CI) throw new Error(reason); // CI runs every test
  return reason;
}
