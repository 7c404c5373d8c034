import { DOMParser, type Document, type Element, type Node, XMLSerializer } from "@xmldom/xmldom";
import { AsyncTeardownError } from "../../errors.js";

/** The XML of a domain, to be changed in place; https://libvirt.org/formatdomain.html. */
export interface DomainXml {
  readonly document: Document;
  readonly root: Element;
}

function malformed(what: string, why: string, cause?: unknown): never {
  throw new AsyncTeardownError("ERR_DOMAIN_XML", `${what} cannot be read: ${why}`, { cause });
}

/**
 * Reads XML, and guesses at nothing.
 * @param what what it is, for messages
 * @throws AsyncTeardownError ERR_DOMAIN_XML
 */
export function parseXml(text: string, what: string): Document {
  let complaint: string | undefined;

  try {
    return new DOMParser({
      normalizeLineEndings: (source) => source.replace(/\r\n?/g, "\n"), // as XML 1.0 has it, and no other
      onError: (_level, message) => {
        complaint ??= message;
        throw new Error(message); // of warnings, too: what follows would be a guess
      },
    }).parseFromString(text, "text/xml");
  } catch (cause) {
    return malformed(what, (complaint ?? (cause as Error).message).split("\n", 1)[0] ?? "", cause);
  }
}

/** @throws AsyncTeardownError ERR_DOMAIN_XML */
export function parseDomain(text: string): DomainXml {
  const what = "the domain's XML";
  const document = parseXml(text, what);
  const root = document.documentElement;

  if (root?.localName !== "domain") return malformed(what, `its root is <${root?.nodeName}>, not <domain>`);
  return { document, root };
}

export function formatDomain({ document }: DomainXml): string {
  // A carriage return that stands in text by its number would become a line break.
  return `${new XMLSerializer().serializeToString(document).replaceAll("\r", "&#13;")}\n`;
}

/** The elements of that name directly below; those of libvirt itself have no namespace. */
export function childrenOf(parent: Element, name: string, namespace: string | null = null): Element[] {
  const found: Element[] = [];

  for (let node: Node | null = parent.firstChild; node; node = node.nextSibling) {
    const element = node as Element;
    const isWanted = element.localName === name && (element.namespaceURI || null) === namespace;
    if (node.nodeType === node.ELEMENT_NODE && isWanted) found.push(element);
  }
  return found;
}

const isBlank = (node: Node) => node.nodeType === node.TEXT_NODE && /^[ \t\n]*$/.test(node.nodeValue ?? "");

function depthOf(node: Node): number {
  let depth = 0;
  for (let above = node.parentNode; above?.parentNode; above = above.parentNode) depth++;
  return depth;
}

/** Adds an element behind all others, on a line of its own. */
export function append({ document }: DomainXml, parent: Element, element: Element): void {
  let last: Node | null = parent.lastChild;
  while (last && isBlank(last)) last = last.previousSibling;
  const before = last ? last.nextSibling : parent.firstChild;
  const indent = "  ".repeat(depthOf(parent) + 1);

  parent.insertBefore(document.createTextNode(`\n${indent}`), before);
  parent.insertBefore(element, before);
}

/** Takes an element out, and the line that it stood on. */
export function remove(element: Element): void {
  const before = element.previousSibling;

  if (before?.nodeType === element.TEXT_NODE) {
    before.nodeValue = (before.nodeValue ?? "").replace(/\n[ \t]*$/, "");
    if (before.nodeValue === "") before.parentNode?.removeChild(before);
  }
  element.parentNode?.removeChild(element);
}

/** Takes an element out that has nothing in it any more. */
export function removeIfEmpty(element: Element): void {
  for (let node: Node | null = element.firstChild; node; node = node.nextSibling) if (!isBlank(node)) return;
  remove(element);
}
