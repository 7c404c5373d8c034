import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { AsyncTeardownError, type ErrorCode } from "../errors.js";
import type { HolderFailure } from "../linux/holder-report.js";

const { EACCES, EAGAIN, ENOSYS, EPERM, ESRCH } = constants.errno;

const permissionsAdvice =
  "a holder needs CAP_SYS_PTRACE (root on the host has it); for processes of one's own user, " +
  "vm.unprivileged_userfaultfd=1 or access to /dev/userfaultfd does; in a container, its seccomp profile " +
  "has to allow userfaultfd as well";

/** What an error of attach is, and what to do about it. */
type Explanation = readonly [code: ErrorCode, advice?: string];

const execution: Explanation = ["ERR_HOLDER", "is it installed where programs may run?"];
const processLimit: Explanation = [
  "ERR_HOLDER",
  "a limit on processes forbids it: ulimit -u, or pids.max of a cgroup",
];
const permissions: Explanation = ["ERR_NOT_PERMITTED", permissionsAdvice];
const kernel: Explanation = [
  "ERR_KERNEL",
  "it needs Linux 5.3 with CONFIG_USERFAULTFD; or a seccomp filter hides it",
];
const filter: Explanation = ["ERR_HOLDER", "a seccomp filter forbids it, or the kernel lacks it"];

/** By the stage of the start and the errno; what the holder says in words is for people. */
function explanationOf({ stage, errno }: HolderFailure): Explanation {
  const isForbidden = errno === EPERM || errno === EACCES;

  switch (stage) {
    case "cgroup":
      return ["ERR_CGROUP"];
    case "execute":
      return errno === EAGAIN ? processLimit : execution;
    case "process":
      return errno === EAGAIN ? processLimit : ["ERR_HOLDER"];
    case "access":
      if (errno === ESRCH) return ["ERR_NO_PROCESS"];
      if (errno === ENOSYS) return kernel;
      return isForbidden ? permissions : ["ERR_HOLDER"];
    case "hold":
      return [errno === ESRCH ? "ERR_NO_PROCESS" : "ERR_HOLDER"];
    case "daemon":
    case "confine":
      return isForbidden || errno === ENOSYS ? filter : ["ERR_HOLDER"];
    case "arguments":
    case "killed":
    case "in time":
      return ["ERR_HOLDER"];
  }
}

/** Why a process cannot be held, from what its holder reported. */
export function holderError(pid: number, failure: HolderFailure): AsyncTeardownError {
  const { errno, step } = failure;
  const [code, advice] = explanationOf(failure);
  const reason = errno === 0 ? "" : ` (${getSystemErrorName(-errno)})`;
  const why =
    code === "ERR_NO_PROCESS"
      ? "ended while it was being attached"
      : `cannot be held: could not ${step}${reason}`;

  return new AsyncTeardownError(code, `process ${pid} ${why}`, { advice });
}
