import { GiB, MiB } from "../units.js";

export function bytesText(bytes: number): string {
  return bytes >= GiB ? `${(bytes / GiB).toFixed(1)} GiB` : `${Math.round(bytes / MiB)} MiB`;
}

export function pageText(bytes: number): string {
  return bytes >= MiB ? bytesText(bytes) : `${bytes / 1024} KiB`;
}

export function durationText(milliseconds: number): string {
  // 999.5 ms and more would be rounded to "1.00e+3 ms".
  return milliseconds < 999.5 ? `${milliseconds.toPrecision(3)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

export function ratioText(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} ×`;
}
