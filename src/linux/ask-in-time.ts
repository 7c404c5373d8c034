/*
 * The kernel locks something of a process before it answers some questions about it: its mappings for its arguments,
 * its exec for a comparison of address spaces. The owner of the process can hold these locks as long as he likes. So
 * each question has a limit in time, and an owner who has kept us waiting is not asked again for a while.
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
 * @param question is given the milliseconds that it may last; answers undefined where that was too short
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
