/** The other one of the two CPUs that are served, and Debian's compiler for it. */
import { missing } from "./component.js";

const isArm = process.arch === "arm64";

export const otherArchitecture = isArm ? "x86_64" : "aarch64";

export const crossCompiler: string = `${otherArchitecture}-linux-gnu-gcc`;

/** Why nothing can be built for it here; undefined where it can. */
export const noCrossCompiler: string | undefined = isArm
  ? await missing(crossCompiler, "gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross")
  : await missing(crossCompiler, "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross");
