export function durationText(milliseconds: number): string {
  // 999.5 ms and more would be rounded to "1.00e+3 ms".
  return milliseconds < 999.5 ? `${milliseconds.toPrecision(3)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

export function ratioText(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} ×`;
}
