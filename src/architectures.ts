/**
 * The CPUs that are served, by Node.js's names of them: how people call each, and its folder in build/, which is named
 * as uname(1) calls it. native/build.js knows a compiler for each, native/arch/ what differs in C.
 */
export const architectures = {
  x64: { name: "x86-64", folder: "x86_64" },
  arm64: { name: "aarch64", folder: "aarch64" },
} as const;

const all: Readonly<Record<string, { readonly name: string; readonly folder: string }>> = architectures;

/** As a sentence has them: "x86-64 and aarch64". */
export const architectureNames = (conjunction: string) =>
  Object.values(all)
    .map(({ name }) => name)
    .join(` ${conjunction} `);

/** The folder of this CPU's files in build/; undefined where it is not served. */
export const buildFolder: string | undefined = all[process.arch]?.folder;
