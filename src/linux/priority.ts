export const priorities = ["normal", "low", "idle"] as const;

/** How gently a teardown is done: as any other work, with the least share of CPU, or when nothing else runs. */
export type Priority = (typeof priorities)[number];
