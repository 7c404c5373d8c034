import { freemem } from "node:os";

export const MiB = 2 ** 20;
export const GiB = 2 ** 30;

/** So much memory, or a quarter of what is free where that is less. */
export function affordable(bytes: number): number {
  return Math.min(bytes, Math.floor(freemem() / 4 / MiB) * MiB);
}
