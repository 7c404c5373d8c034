import { AsyncTeardownError } from "../../errors.js";
import { childrenOf, type DomainXml, parseXml } from "./domain-xml.js";
import { askEmulator } from "./emulator.js";
import { findOwnEmulator } from "./own-emulator.js";
import { type Connection, virsh } from "./virsh.js";
import { emulatorOf, type Via, type Way } from "./ways.js";

/** Whether libvirt runs on this machine, by its canonical URI; https://libvirt.org/uri.html. */
export function isLocal(uri: string): boolean {
  return /^[a-z]+(\+unix)?:\/\/\//.test(uri.trim());
}

/** What decides which QEMU a domain runs on, and what that can do. */
interface Machine {
  readonly type: string;
  readonly emulator: string;
  readonly arch: string | undefined;
  readonly machine: string | undefined;
}

/** @throws AsyncTeardownError ERR_DOMAIN */
function machineOf(domain: DomainXml): Machine {
  const { root } = domain;
  const emulator = emulatorOf(domain);
  const type = root.getAttribute("type") ?? "";
  const [os] = childrenOf(root, "os").flatMap((each) => childrenOf(each, "type"));

  if (!["kvm", "qemu"].includes(type) || !emulator)
    throw new AsyncTeardownError("ERR_DOMAIN", `the domain is of type '${type}', and not run by QEMU`);
  return {
    type,
    emulator: emulator.textContent ?? "",
    arch: os?.getAttribute("arch") ?? undefined,
    machine: os?.getAttribute("machine") ?? undefined,
  };
}

/** Reads what `virsh domcapabilities` says: whether libvirt's own element is supported. */
export function parseHasFeature(text: string): boolean {
  const { documentElement: root } = parseXml(text, "libvirt's domain capabilities");
  const features = root ? childrenOf(root, "features") : [];

  return features
    .flatMap((each) => childrenOf(each, "async-teardown"))
    .some((each) => each.getAttribute("supported") === "yes");
}

async function hasFeature(
  connection: Connection,
  { type, emulator, arch, machine }: Machine,
): Promise<boolean> {
  const words = ["domcapabilities", `--virttype=${type}`, `--emulatorbin=${emulator}`];
  if (arch !== undefined) words.push(`--arch=${arch}`);
  if (machine !== undefined) words.push(`--machine=${machine}`);
  const doing = `find out what ${emulator} can do`;

  return parseHasFeature(await virsh(connection, { words, doing, code: "ERR_EMULATOR" }));
}

async function emulatorWay({ emulator }: Machine): Promise<Way> {
  return { via: "emulator", path: await findOwnEmulator(emulator) };
}

function refuse(message: string, advice?: string): never {
  throw new AsyncTeardownError("ERR_EMULATOR", message, { advice });
}

async function asked(connection: Connection, machine: Machine, via: Via): Promise<Way> {
  if (via === "emulator") return await emulatorWay(machine);
  if (via === "feature") {
    if (await hasFeature(connection, machine)) return { via };
    return refuse(
      `this libvirt or ${machine.emulator} does not have the feature async-teardown`,
      "it came with libvirt 9.6 and QEMU 8.0.1; --via commandline or emulator serves older ones",
    );
  }
  const option = await askEmulator(machine.emulator);
  if (option) return { via, option };
  return refuse(
    `${machine.emulator} has neither -async-teardown nor -run-with async-teardown=on`,
    "QEMU has them from 7.2 on; --via emulator serves older ones",
  );
}

/**
 * Finds the way to protect a domain: the one that is asked for, or else the first that its libvirt and its QEMU
 * have: libvirt's own element, QEMU's option, our emulator.
 * @throws AsyncTeardownError ERR_EMULATOR, ERR_DOMAIN, ERR_LIBVIRT, ERR_TIMEOUT
 */
export async function findWay(connection: Connection, domain: DomainXml, via: Via | undefined): Promise<Way> {
  const machine = machineOf(domain);
  const uri = await virsh(connection, { words: ["uri"], doing: "tell its URI" });

  if (!isLocal(uri) && via !== "feature" && (via || !(await hasFeature(connection, machine))))
    return refuse(
      `libvirt is on another machine (${uri.trim()}), and only its own feature can be enabled from here`,
      "run this on that machine",
    );
  if (via) return await asked(connection, machine, via);
  if (await hasFeature(connection, machine)) return { via: "feature" };
  const option = await askEmulator(machine.emulator);
  return option ? { via: "commandline", option } : await emulatorWay(machine);
}
