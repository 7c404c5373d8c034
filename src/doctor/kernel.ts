import { machine, release, type } from "node:os";
import { readSetting } from "../linux/kernel-file.js";
import { isAtLeast, parseRelease } from "../linux/kernel-version.js";
import { ownPidNamespace } from "../linux/own-pid-namespace.js";
import type { Check } from "./check.js";

export function checkKernel(): Check {
  const version = parseRelease(release());
  const found = `${type()} ${release()} on ${machine()}`;

  if (version && !isAtLeast(version, 5, 3))
    return {
      name: "kernel",
      status: "limited",
      found,
      advice: "`run` works, with what is missing done otherwise; `attach` needs Linux 5.3",
    };
  return { name: "kernel", status: "ok", found };
}

/** Yama restricts who may trace. A holder only reads, which it leaves alone; ptrace(2). */
export function checkYama(): Check {
  const scope = readSetting("/proc/sys/kernel/yama/ptrace_scope");

  return {
    name: "yama",
    status: "ok",
    found:
      scope === undefined
        ? "not there"
        : `kernel.yama.ptrace_scope = ${scope}, which does not concern a holder: it reads, and traces nothing`,
  };
}

const initialNamespace = 0xefff_fffc; // PROC_PID_INIT_INO

export function checkPidNamespace(): Check {
  const name = "pid-namespace";
  const namespace = ownPidNamespace();

  if (namespace === 0)
    return {
      name,
      status: "limited",
      found: "unknown: /proc/self/ns/pid cannot be read",
      advice: "mount the /proc of this PID namespace",
    };
  if (namespace === initialNamespace) return { name, status: "ok", found: "the host's" };
  return {
    name,
    status: "limited",
    found: process.pid === 1 ? "a container's, and this process is its init" : "a container's",
    advice:
      "the end of a container ends all that is in it, a helper too, and waits for that, also behind an init: hold " +
      "its init (PID 1) from the host, by `attach` and the PID that it has there",
  };
}
