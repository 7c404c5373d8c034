import { readSetting } from "../linux/kernel-file.js";
import type { SystemCall } from "../linux/native.js";
import type { Check, Status } from "./check.js";
import type { Answers } from "./native-parts.js";

interface Need {
  readonly name: string;
  readonly calls: readonly SystemCall[];
  /** What it is where one of them does not work. */
  readonly otherwise: Status;
  readonly advice: string;
}

const needs: readonly Need[] = [
  {
    name: "pidfd",
    calls: ["pidfd_open", "pidfd_send_signal"],
    otherwise: "missing",
    advice:
      "`attach` does not work, and a helper asks /proc whether its target has ended; it needs Linux 5.3, and a " +
      "seccomp filter that allows pidfd_open and pidfd_send_signal",
  },
  {
    name: "close_range",
    calls: ["close_range"],
    otherwise: "limited",
    advice: "descriptors are closed one by one; it needs Linux 5.9, and a seccomp filter that allows it",
  },
  {
    name: "unshare",
    calls: ["unshare"],
    otherwise: "limited",
    advice:
      "a helper cannot give shared memory and mapped files back first, and its exit frees all at once; in a " +
      "container, it needs CAP_SYS_ADMIN or a seccomp filter that allows unshare",
  },
  {
    name: "kcmp",
    calls: ["kcmp"],
    otherwise: "limited",
    advice:
      "`attach` does not see that a helper is there already; it needs CONFIG_KCMP, and in a container " +
      "CAP_SYS_PTRACE or a seccomp filter that allows kcmp",
  },
  {
    name: "seccomp",
    calls: ["seccomp"],
    otherwise: "missing",
    advice:
      "neither helper nor holder starts where it cannot shut itself in; it needs Linux 4.14 with " +
      "CONFIG_SECCOMP_FILTER",
  },
];

function checkNeed({ name, calls, otherwise, advice }: Need, answers: Answers): Check {
  const denied = calls.filter((call) => answers[call] !== "");

  if (denied.length === 0) return { name, status: "ok", found: "works" };
  return {
    name,
    status: otherwise,
    found: denied.map((call) => `${call}: ${answers[call]}`).join(", "),
    advice,
  };
}

function checkUserfaultfd(answers: Answers): Check {
  const name = "userfaultfd";
  const { userfaultfd: byCall, "/dev/userfaultfd": byDevice } = answers;

  if (byCall === "") return { name, status: "ok", found: "works" };
  // A holder turns to the device for want of permission only.
  if (byCall === "EPERM" && byDevice === "")
    return { name, status: "ok", found: "works by /dev/userfaultfd (the call itself: EPERM)" };
  return {
    name,
    status: "missing",
    found: `userfaultfd: ${byCall}, /dev/userfaultfd: ${byDevice || "works"}`,
    advice:
      byCall === "ENOSYS"
        ? "`attach` does not work; it needs CONFIG_USERFAULTFD, and a seccomp filter that allows userfaultfd"
        : "`attach` does not work; it needs CAP_SYS_PTRACE (root on the host has it), vm.unprivileged_userfaultfd=1 " +
          "or access to /dev/userfaultfd; in a container, a seccomp filter that allows userfaultfd as well",
  };
}

function checkPerfEvents(answers: Answers): Check {
  const name = "perf-events";
  const paranoid = readSetting("/proc/sys/kernel/perf_event_paranoid") ?? "unknown";
  const setting = `kernel.perf_event_paranoid = ${paranoid}`;

  if (answers.perf_event_open === "") return { name, status: "ok", found: `permitted (${setting})` };
  return {
    name,
    status: "limited",
    found: `perf_event_open: ${answers.perf_event_open} (${setting})`,
    advice:
      "a holder looks once a second whether its target has exec'd, rather than be told; it needs CAP_PERFMON, or " +
      "kernel.perf_event_paranoid=2 and a seccomp filter that allows perf_event_open",
  };
}

/** What the kernel, and a seccomp filter between it and us, let this process do. */
export function checkSystemCalls(answers: Answers): Check[] {
  return [
    ...needs.map((need) => checkNeed(need, answers)),
    checkUserfaultfd(answers),
    checkPerfEvents(answers),
  ];
}
