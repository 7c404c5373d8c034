/*
 * For some of what the kernel tells of a process it takes a lock of that process, which its owner can hold as
 * long as he likes: for its arguments the one of its mappings, for a comparison of address spaces that of an exec.
 * So such a question has a limit, and whoever has kept us waiting is not asked again for a while.
 */

/** Milliseconds that one process may keep us waiting. */
const patience = 1000;

/** Milliseconds that its owner is not asked again. */
const longestGrudge = 10_000;

/** So many owners may keep us waiting. Somebody may have thousands of user IDs; user_namespaces(7). */
const mostGrudges = 4;

const grudges = new Map<string, number>();

function isTrustedToAnswer(owner: string | undefined): boolean {
  return owner === "0" || owner === String(process.getuid?.());
}

function mayAsk(owner: string): boolean {
  for (const [each, since] of grudges) if (performance.now() - since > longestGrudge) grudges.delete(each);
  return isTrustedToAnswer(owner) || (!grudges.has(owner) && grudges.size < mostGrudges);
}

/**
 * Asks the kernel about a process of this owner.
 * @param question takes the milliseconds that it may last; answers undefined where that was too short
 * @returns the answer; undefined where it did not come in time, or is not waited for
 */
export function askInTime<T>(
  owner: string | undefined,
  question: (milliseconds: number) => T | undefined,
): T | undefined {
  const name = owner ?? "";

  if (!mayAsk(name)) return undefined;
  const answer = question(patience);
  if (answer === undefined) grudges.set(name, performance.now());
  return answer;
}
