/** The other one of the two CPUs that are served, and Debian's compiler for it. */
import { buildFolder } from "../../src/architectures.js";
import { missing } from "./component.js";

/** The Debian packages with a compiler for each. */
const packages = {
  x86_64: ["gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"],
  aarch64: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
} as const;

export const otherArchitecture = buildFolder === "x86_64" ? "aarch64" : "x86_64";

export const crossCompiler: string = `${otherArchitecture}-linux-gnu-gcc`;

/** Why nothing can be built for it here; undefined where it can. */
export const noCrossCompiler: string | undefined = missing(crossCompiler, ...packages[otherArchitecture]);
