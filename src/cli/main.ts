/*
 * What Node.js starts with. An older one must be able to read this file, for all that it does is to say that it
 * is too old: any syntax or module that Node.js 12 lacks is for program.ts.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

/** Says it as every error is said, and ends as env(1) does where it fails itself. */
function fail(sentence: string): void {
  process.exitCode = 125;
  console.error(`async-teardown: ${sentence}`);
}

// As package.json's "engines" says.
if (major < 20 || (major === 20 && minor < 12))
  fail(
    `needs Node.js 20.12 or later, and ${process.execPath} is ${process.versions.node}; ` +
      "put a newer one first in PATH",
  );
else
  import("./program.js")
    .then(({ main }) => main())
    .catch((error) => fail(`cannot load its own files; install the package anew: ${error.message}`));
