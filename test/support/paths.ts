import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFolder } from "../../src/architectures.js";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** Where the compiled programs of the tests are. */
export const programs: string = join(root, "build/test");

export const program = (name: string): string => join(programs, name);

export const target = (name: string): string => join(root, "test/targets", name);

/** Where the native parts for this CPU are, from the root of a package. */
export const nativeFolder: string = join("build", String(buildFolder));

/** The command under test. */
export const asyncTeardown: string = join(root, nativeFolder, "async-teardown");

export const library: string = join(root, nativeFolder, "libasync-teardown.so");

export const holder: string = join(root, nativeFolder, "async-teardown-holder");
