/** Numbers, as people read them. */

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/**
 * "64 GiB" where it is just that, otherwise with one decimal. Cut off rather than rounded: a little less than 64 GiB does
 * not look like 64 GiB.
 */
export function formatBytes(bytes: number | bigint): string {
  const whole = Math.floor(Number(bytes));
  const power = whole < 1 ? 0 : Math.min(Math.floor(Math.log2(whole) / 10), units.length - 1);
  const scaled = whole / 1024 ** power;
  const number = Number.isInteger(scaled) ? String(scaled) : (Math.floor(scaled * 10) / 10).toFixed(1);

  return `${number} ${units[power]}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** "3 min 20 s"; "3 min" where nothing is left. */
function formatPair(many: number, unit: string, few: number, smaller: string): string {
  return few === 0 ? `${many} ${unit}` : `${many} ${unit} ${few} ${smaller}`;
}

/** As exact as matters at that length: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.round(seconds / 60);

  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return formatPair(Math.floor(whole / 60), "min", whole % 60, "s");
  return formatPair(Math.floor(minutes / 60), "h", minutes % 60, "min");
}
