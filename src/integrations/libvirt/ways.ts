import type { Element } from "@xmldom/xmldom";
import { AsyncTeardownError } from "../../errors.js";
import { append, childrenOf, type DomainXml, remove, removeIfEmpty } from "./domain-xml.js";

/**
 * How a domain's XML has its QEMU protected: by libvirt's own element (libvirt 9.6, QEMU 8.0.1), by an option of
 * QEMU that is passed through (QEMU 7.2), or by our emulator, which becomes any QEMU with our helper.
 */
export const vias = ["feature", "commandline", "emulator"] as const;
export type Via = (typeof vias)[number];

/** What QEMU calls it: until 8.x, and from 8.0.1 on. */
export const qemuOptions = ["-async-teardown", "-run-with"] as const;
export type QemuOption = (typeof qemuOptions)[number];

const qemuNamespace = "http://libvirt.org/schemas/domain/qemu/1.0";

/** The launcher's second name, with or without "-<arch>" behind; and the variable that names the real QEMU. */
const ownName = /(^|\/)qemu-async-teardown(-[^/]+)?$/;
const variableName = "ASYNC_TEARDOWN_QEMU";

function containers({ root }: DomainXml): Element[] {
  return childrenOf(root, "commandline", qemuNamespace);
}

function passedThrough(domain: DomainXml, kind: "arg" | "env"): Element[] {
  return containers(domain).flatMap((container) => childrenOf(container, kind, qemuNamespace));
}

/** Adds a <qemu:arg> or <qemu:env>, with whatever prefix the domain has for that namespace. */
function passThrough(domain: DomainXml, kind: "arg" | "env", attributes: Record<string, string>): void {
  const { document, root } = domain;
  let [container] = containers(domain);

  if (!container) {
    const prefix = root.lookupPrefix(qemuNamespace) ?? "qemu";
    container = document.createElementNS(qemuNamespace, `${prefix}:commandline`);
    append(domain, root, container);
    container.appendChild(document.createTextNode("\n  "));
  }
  const name = container.prefix ? `${container.prefix}:${kind}` : kind;
  const element = document.createElementNS(qemuNamespace, name);

  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  append(domain, container, element);
}

const wordOf = (element: Element) => element.getAttribute("value") ?? "";

/** Takes out of the command line and leaves no container behind that has nothing in it. */
function takeOut(element: Element): void {
  const container = element.parentNode as Element;
  remove(element);
  removeIfEmpty(container);
}

const featuresOf = ({ root }: DomainXml) => childrenOf(root, "features");

function featureOf(domain: DomainXml): Element | undefined {
  return featuresOf(domain).flatMap((features) => childrenOf(features, "async-teardown"))[0];
}

const isNo = (feature: Element | undefined) => feature?.getAttribute("enabled") === "no";

function enableFeature(domain: DomainXml): void {
  const { document, root } = domain;
  let [features] = featuresOf(domain);

  if (!features) {
    features = document.createElement("features");
    append(domain, root, features);
    features.appendChild(document.createTextNode("\n  "));
  }
  const feature = document.createElement("async-teardown");
  feature.setAttribute("enabled", "yes");
  append(domain, features, feature);
}

function disableFeature(domain: DomainXml): void {
  const feature = featureOf(domain);

  if (!feature || isNo(feature)) return;
  remove(feature);
  for (const features of featuresOf(domain)) removeIfEmpty(features);
}

/** QEMU takes two dashes for one. */
const isOption = (element: Element | undefined, option: QemuOption) =>
  element !== undefined && wordOf(element).replace(/^--/, "-") === option;

/** The parts of an option's value; a comma that is doubled is none that parts them. */
const partsOf = (value: string) =>
  value
    .replaceAll(",,", "\0")
    .split(",")
    .map((part) => part.replaceAll("\0", ",,"));

/** Whether a part says on or off; undefined where it says nothing of teardown. */
function saidBy(part: string): boolean | undefined {
  if (/^async-teardown(=on|=yes|=true|=y)?$/.test(part)) return true;
  return /^(noasync-teardown|async-teardown=(off|no|false|n))$/.test(part) ? false : undefined;
}

/** Where the option stands: it alone, or -run-with and its value, which may say more than that. */
interface Occurrence {
  readonly words: readonly Element[];
  readonly isOn: boolean;
  /** What else the value of -run-with says. */
  readonly rest: string;
}

/** As native/launcher/qemu.c reads them; test/native/readers.test.ts compares both. */
function occurrences(domain: DomainXml): Occurrence[] {
  const args = passedThrough(domain, "arg");

  return args.flatMap((word, index): Occurrence[] => {
    const value = args[index + 1];

    if (isOption(word, "-async-teardown")) return [{ words: [word], isOn: true, rest: "" }];
    if (!isOption(word, "-run-with") || !value) return [];
    const parts = partsOf(wordOf(value));
    const isOn = parts.map(saidBy).findLast((said) => said !== undefined); // the last one counts, as for QEMU
    const rest = parts.filter((part) => saidBy(part) === undefined).join(",");
    return isOn === undefined ? [] : [{ words: [word, value], isOn, rest }];
  });
}

function enableOption(domain: DomainXml, option: QemuOption): void {
  passThrough(domain, "arg", { value: option });
  if (option === "-run-with") passThrough(domain, "arg", { value: "async-teardown=on" });
}

function disableOption(domain: DomainXml): void {
  for (const { words, rest } of occurrences(domain).filter(({ isOn }) => isOn))
    if (rest === "") for (const word of words) takeOut(word);
    else words[1]?.setAttribute("value", rest);
}

/** The program that libvirt starts. */
export function emulatorOf({ root }: DomainXml): Element | undefined {
  return childrenOf(root, "devices").flatMap((devices) => childrenOf(devices, "emulator"))[0];
}

const isOurs = (emulator: Element | undefined) => ownName.test(emulator?.textContent ?? "");

/** Where the domain says which QEMU it had. */
function realQemu(domain: DomainXml): Element | undefined {
  return passedThrough(domain, "env").find((element) => element.getAttribute("name") === variableName);
}

function enableEmulator(domain: DomainXml, path: string): void {
  const emulator = emulatorOf(domain);
  if (!emulator) throw new AsyncTeardownError("ERR_DOMAIN", "the domain has no <emulator>");
  const value = emulator.textContent ?? "";
  const real = realQemu(domain);

  if (real) real.setAttribute("value", value);
  else passThrough(domain, "env", { name: variableName, value });
  emulator.textContent = path;
}

function disableEmulator(domain: DomainXml): void {
  const emulator = emulatorOf(domain);
  const real = realQemu(domain);

  if (!emulator || !isOurs(emulator)) return;
  if (!real)
    throw new AsyncTeardownError(
      "ERR_DOMAIN",
      `the domain does not say which QEMU it had before ${emulator.textContent}`,
      { advice: "write its path into <emulator>, as by 'virsh edit'" },
    );
  emulator.textContent = wordOf(real);
  takeOut(real);
}

/** By what the domain is protected from its next start on. */
export function viasOf(domain: DomainXml): Via[] {
  const feature = featureOf(domain);
  const isThere: Record<Via, boolean> = {
    feature: feature !== undefined && !isNo(feature),
    commandline: occurrences(domain).some(({ isOn }) => isOn),
    emulator: isOurs(emulatorOf(domain)),
  };
  return vias.filter((via) => isThere[via]);
}

/** How the domain says itself that it wants none of it; our emulator and QEMU would obey. */
function refusalIn(domain: DomainXml): string | undefined {
  if (isNo(featureOf(domain))) return "<async-teardown enabled='no'/>";
  return occurrences(domain).some(({ isOn }) => !isOn) ? "-run-with async-teardown=off" : undefined;
}

/** A way, with all that it needs. */
export type Way =
  | { readonly via: "feature" }
  | { readonly via: "commandline"; readonly option: QemuOption }
  | { readonly via: "emulator"; readonly path: string };

/**
 * Puts the protection into the XML.
 * @throws AsyncTeardownError ERR_DOMAIN
 */
export function enableIn(domain: DomainXml, way: Way): void {
  const refusal = refusalIn(domain);

  if (refusal !== undefined)
    throw new AsyncTeardownError("ERR_DOMAIN", `the domain says ${refusal} itself`, {
      advice: "take that out first, as by 'virsh edit'",
    });
  if (way.via === "feature") enableFeature(domain);
  else if (way.via === "commandline") enableOption(domain, way.option);
  else enableEmulator(domain, way.path);
}

/** Takes every protection out of the XML, whoever put it in. */
export function disableIn(domain: DomainXml): void {
  disableFeature(domain);
  disableOption(domain);
  disableEmulator(domain);
}
