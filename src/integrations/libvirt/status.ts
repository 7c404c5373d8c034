import { readFileSync } from "node:fs";
import { commandOf } from "../../linux/command-line.js";
import type { Findings, Mechanism } from "../../linux/protectors.js";
import { isLocal } from "./abilities.js";
import { parseDomain } from "./domain-xml.js";
import { type Domain, dumpXml } from "./domains.js";
import { type Connection, virsh } from "./virsh.js";
import { type Via, viasOf } from "./ways.js";

export interface DomainStatus {
  readonly domain: string;
  readonly uuid: string;
  readonly isPersistent: boolean;
  /** By what it is protected from its next start on. */
  readonly configured: readonly Via[];
  readonly isActive: boolean;
  /** Its QEMU; null where it is shut off, or where that cannot be seen. */
  readonly pid: number | null;
  /** Who protects it now; null where it is shut off, or where that cannot be seen. */
  readonly protectedBy: readonly Mechanism[] | null;
}

/** Where the daemon of this URI keeps the PIDs of its QEMUs; undefined where it is on another machine. */
export function pidDirectoryOf(uri: string): string | undefined {
  const runtime = process.env.XDG_RUNTIME_DIR;

  if (!isLocal(uri)) return undefined;
  if (new URL(uri).pathname !== "/session") return "/run/libvirt/qemu";
  return runtime === undefined ? undefined : `${runtime}/libvirt/qemu/run`;
}

/** The directory for this connection. */
export async function findPidDirectory(connection: Connection): Promise<string | undefined> {
  return pidDirectoryOf((await virsh(connection, { words: ["uri"], doing: "tell its URI" })).trim());
}

const entities: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };

/** libvirt names the file as XML has the domain's name: src/util/virpidfile.c, virPidFileBuildPath(). */
export const pidFileOf = (name: string, directory: string) =>
  `${directory}/${name.replace(/[&<>"']/g, (each) => `&${entities[each]};`)}.pid`;

/** The QEMU of a domain that runs. The file of one that crashed may name a process that came after it. */
function pidOf({ name, uuid }: Domain, directory: string): number | null {
  try {
    const pid = Number(readFileSync(pidFileOf(name, directory), "utf8"));
    return Number.isInteger(pid) && commandOf(pid)?.includes(uuid) ? pid : null;
  } catch {
    return null;
  }
}

function mechanismsOf(pid: number, { protectors, hidden }: Findings): Mechanism[] | null {
  const isOf = ({ target, isTargetGone }: { target: number; isTargetGone: boolean }) =>
    target === pid && !isTargetGone;

  if (hidden.some(({ target }) => target === pid)) return null; // root may see
  return protectors.filter(isOf).map(({ mechanism }) => mechanism);
}

export async function statusOf(
  connection: Connection,
  domain: Domain,
  findings: Findings,
  pidDirectory: string | undefined,
): Promise<DomainStatus> {
  const xml = parseDomain(await dumpXml(connection, domain, { withSecrets: false }));
  const pid = domain.isActive && pidDirectory !== undefined ? pidOf(domain, pidDirectory) : null;

  return {
    domain: domain.name,
    uuid: domain.uuid,
    isPersistent: domain.isPersistent,
    configured: viasOf(xml),
    isActive: domain.isActive,
    pid,
    protectedBy: pid === null ? null : mechanismsOf(pid, findings),
  };
}
