import { AsyncTeardownError } from "../../errors.js";
import { type Connection, virsh } from "./virsh.js";

/** A domain that libvirt knows. */
export interface Domain {
  readonly name: string;
  readonly uuid: string;
  /** Whether libvirt keeps its XML when it is shut off. */
  readonly isPersistent: boolean;
  readonly isActive: boolean;
}

async function uuids(connection: Connection, ...which: string[]): Promise<Set<string>> {
  const words = ["list", "--uuid", ...which];
  const text = await virsh(connection, { words, doing: "list its domains" });
  return new Set(text.split("\n").filter((line) => line !== ""));
}

const isUuid = (word: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word);

/** Has virsh translate; the connection works, so what goes wrong is the domain. */
async function translate(
  connection: Connection,
  command: "domuuid" | "domname",
  word: string,
): Promise<string> {
  try {
    const words = [command, `--domain=${word}`];
    return (await virsh(connection, { words, doing: "translate", code: "ERR_DOMAIN" })).trimEnd();
  } catch (cause) {
    if (!(cause instanceof AsyncTeardownError) || cause.code !== "ERR_DOMAIN") throw cause;
    throw new AsyncTeardownError("ERR_DOMAIN", `there is no domain '${word}'`, {
      advice: "'virsh list --all' shows those that are there",
      cause,
    });
  }
}

/** Gives a function that finds a domain by its name, ID or UUID, as virsh does. */
export async function openDomains(connection: Connection) {
  const persistent = await uuids(connection, "--all", "--persistent");
  const active = await uuids(connection);

  return {
    /** The UUIDs of all; of those that libvirt keeps. */
    all: [...new Set([...persistent, ...active])],
    persistent: [...persistent],
    /** @throws AsyncTeardownError ERR_DOMAIN */
    async find(domain: string): Promise<Domain> {
      const uuid = isUuid(domain) ? domain : await translate(connection, "domuuid", domain);
      const name = await translate(connection, "domname", uuid);
      return { name, uuid, isPersistent: persistent.has(uuid), isActive: active.has(uuid) };
    },
  };
}

/** What can be asked for of a domain's XML. */
export interface DumpOptions {
  /** With the passwords that it has: they would be lost if it were defined without them. */
  readonly withSecrets: boolean;
}

/** The XML that the domain has from its next start on. */
export async function dumpXml(
  connection: Connection,
  { name, uuid }: Domain,
  { withSecrets }: DumpOptions,
): Promise<string> {
  const words = ["dumpxml", "--inactive", ...(withSecrets ? ["--security-info"] : []), uuid];
  return await virsh(connection, { words, doing: `show the XML of domain '${name}'` });
}

export async function defineXml(connection: Connection, { name }: Domain, xml: string): Promise<void> {
  const words = ["define", "/dev/stdin"];
  await virsh(connection, { words, doing: `change domain '${name}'`, input: xml });
}

/** @throws AsyncTeardownError ERR_DOMAIN */
export function requirePersistent({ name, isPersistent }: Domain): void {
  if (!isPersistent)
    throw new AsyncTeardownError("ERR_DOMAIN", `domain '${name}' is transient: libvirt keeps no XML of it`, {
      advice: "change what you create it from, or let 'libvirt hook install' protect whatever starts",
    });
}
