import { createTwoFilesPatch } from "diff";
import { AsyncTeardownError } from "../../errors.js";
import { findWay } from "./abilities.js";
import { formatDomain, parseDomain } from "./domain-xml.js";
import { type Domain, defineXml, dumpXml, requirePersistent } from "./domains.js";
import type { Connection } from "./virsh.js";
import { disableIn, enableIn, type Via, viasOf } from "./ways.js";

export interface ChangeOptions {
  /** Only show what would be changed. */
  readonly dryRun: boolean;
}

/** What came of a domain. */
export interface Change {
  readonly domain: string;
  readonly uuid: string;
  readonly isChanged: boolean;
  readonly isActive: boolean;
  /** By what it is, or would be, protected from its next start on. */
  readonly configured: readonly Via[];
  /** What is changed in the XML, as diff(1) -u has it; of a dry run only. */
  readonly difference?: string;
}

type Edit = (xml: string) => string;

const viasIn = (xml: string) => viasOf(parseDomain(xml));

/** As the parser writes it, so that quotes and the like are no difference. */
const inOneStyle: Edit = (xml) => formatDomain(parseDomain(xml));

function differenceOf(name: string, before: string, after: string): string {
  const patch = createTwoFilesPatch(name, name, inOneStyle(before), after, "now", "then", { context: 3 });
  return patch.slice(patch.indexOf("---"));
}

function lost(name: string): AsyncTeardownError {
  return new AsyncTeardownError("ERR_LIBVIRT", `libvirt did not keep the change of domain '${name}'`, {
    advice: "the domain is as it was; try another way, by --via",
  });
}

/** Nobody's change in between is undone; and what libvirt silently drops is no protection. */
async function apply(connection: Connection, domain: Domain, before: string, after: string): Promise<void> {
  if ((await dumpXml(connection, domain, { withSecrets: true })) !== before)
    throw new AsyncTeardownError(
      "ERR_DOMAIN",
      `domain '${domain.name}' was changed by somebody else just now`,
      {
        advice: "try again",
      },
    );
  await defineXml(connection, domain, after);
  const kept = await dumpXml(connection, domain, { withSecrets: true });

  if (String(viasIn(kept)) === String(viasIn(after))) return;
  await defineXml(connection, domain, before);
  throw lost(domain.name);
}

async function change(
  connection: Connection,
  domain: Domain,
  edit: Edit,
  { dryRun }: ChangeOptions,
): Promise<Change> {
  requirePersistent(domain);
  const before = await dumpXml(connection, domain, { withSecrets: !dryRun });
  const after = edit(before);
  const isChanged = after !== inOneStyle(before);

  if (isChanged && !dryRun) await apply(connection, domain, before, after);
  return {
    domain: domain.name,
    uuid: domain.uuid,
    isChanged,
    isActive: domain.isActive,
    configured: viasIn(after),
    ...(dryRun && { difference: isChanged ? differenceOf(domain.name, before, after) : "" }),
  };
}

/**
 * Has the domain protected from its next start on. One that is so already is left as it is, unless another way
 * is asked for.
 * @throws AsyncTeardownError ERR_DOMAIN, ERR_DOMAIN_XML, ERR_EMULATOR, ERR_LIBVIRT, ERR_TIMEOUT
 */
export async function enableDomain(
  connection: Connection,
  domain: Domain,
  options: ChangeOptions & { readonly via?: Via | undefined },
): Promise<Change> {
  requirePersistent(domain);
  const now = parseDomain(await dumpXml(connection, domain, { withSecrets: false }));
  const vias = viasOf(now);
  const isEnabled = options.via === undefined ? vias.length > 0 : String(vias) === options.via;

  if (isEnabled) return await change(connection, domain, inOneStyle, options);
  disableIn(now); // so that the QEMU is asked that runs it then
  const way = await findWay(connection, now, options.via);
  const edit: Edit = (xml) => {
    const edited = parseDomain(xml);

    disableIn(edited);
    enableIn(edited, way);
    return formatDomain(edited);
  };
  return await change(connection, domain, edit, options);
}

/**
 * Takes the domain's protection away, from its next start on.
 * @throws AsyncTeardownError ERR_DOMAIN, ERR_DOMAIN_XML, ERR_LIBVIRT, ERR_TIMEOUT
 */
export async function disableDomain(
  connection: Connection,
  domain: Domain,
  options: ChangeOptions,
): Promise<Change> {
  const edit: Edit = (xml) => {
    const edited = parseDomain(xml);

    disableIn(edited);
    return formatDomain(edited);
  };
  return await change(connection, domain, edit, options);
}
