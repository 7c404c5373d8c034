/** Why no holder can be tested here, or undefined. */
export const noHolder: string | undefined =
  process.getuid?.() === 0 ? undefined : "holders are for root: not tested";
