/**
 * Paths, arguments and environment variables of Linux are bytes, not text. Here they are strings of
 * one character a byte ("latin1"), so that they can be split and compared, and nothing is lost.
 */
export type Bytes = string & { readonly bytes?: never };

/** The bytes of a text, as UTF-8. */
export function toBytes(text: string): Bytes {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** For messages only: what is not UTF-8 is replaced. */
export function toText(bytes: Bytes): string {
  return toBuffer(bytes).toString("utf8");
}

/** For calls into Node.js, which accepts a Buffer wherever it accepts a path. */
export function toBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** Strings that each end with a NUL, as in /proc/<pid>/cmdline and /proc/<pid>/environ. */
export function splitAtNul(contents: Buffer): Bytes[] {
  const strings = contents.toString("latin1").split("\0");
  strings.pop(); // what follows the last NUL: nothing
  return strings;
}
