import type { ChildProcess } from "node:child_process";

/** One way to run the load. */
export interface Contender {
  readonly name: string;
  /** Starts a process that takes so many bytes of memory, and then waits. */
  start(bytes: number): ChildProcess;
  /** Whether a helper gives its memory back. */
  readonly hasHelper: boolean;
}

/** A way that there is, but not here. */
export interface Absentee {
  readonly name: string;
  readonly reason: string;
}

export interface Load {
  /** As in "the exit of …". */
  readonly subject: string;
  /** The first is what the others are compared with. */
  readonly contenders: readonly [Contender, ...(Contender | Absentee)[]];
}

export function isHere(contender: Contender | Absentee): contender is Contender {
  return "start" in contender;
}
