import { AsyncTeardownError } from "../errors.js";
import type { Protector } from "./protectors.js";

const names = { helper: "the helper", holder: "a holder", qemu: "the helper of QEMU's own" } as const;

/**
 * Refuses the PID of a helper or a holder where that of its target is meant: `pidof` gives both.
 * @throws AsyncTeardownError ERR_PROTECTOR
 */
export function refuseProtector(protectors: readonly Protector[], pid: number): void {
  const protector = protectors.find((each) => each.pid === pid);

  if (!protector) return;
  const { mechanism, target, isTargetGone } = protector;
  throw new AsyncTeardownError(
    "ERR_PROTECTOR",
    `process ${pid} is ${names[mechanism]} of process ${target}${isTargetGone ? ", which has ended" : ""}`,
    { advice: `give ${target} instead` },
  );
}
