export const MiB = 1024 ** 2;
export const GiB = 1024 ** 3;

export const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
