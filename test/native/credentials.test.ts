/** Whoever may not get at a target gets at it by its helper or holder neither. Real users, real attempts. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attach } from "../../src/protect/attach.js";
import { library, program } from "../support/paths.js";
import { helperOf } from "../support/proc.js";
import { runToEnd, startReady } from "../support/start.js";

const why = process.getuid?.() === 0 ? undefined : "only root can be several users: not tested";

const USER = 61234;
const OTHER = 61235;

const setpriv = (...options: string[]) => ["setpriv", ...options];
const as = (user: number, group: number, ...more: string[]) =>
  setpriv("--reuid", `${user}`, "--regid", `${group}`, "--clear-groups", ...more);
const withCapability = ["--inh-caps", "+net_admin", "--ambient-caps", "+net_admin"];
const bare = setpriv("--bounding-set", "-all", "--inh-caps", "-all");
const ownNamespace = ["unshare", "--user", "--map-root-user"];

const hasUserNamespaces = !why && (await runToEnd([...ownNamespace, "true"])).exitCode === 0;
const where = (has: boolean, ...rows: [string, string[], ...string[]][]) => (has ? rows : []);

/** Who tries to get in. */
const intruders: [string, string[], ...string[]][] = [
  ["the user", as(USER, USER)],
  ["the user, with a capability", as(USER, USER, ...withCapability)],
  ["another user", as(OTHER, OTHER)],
  ["another user of the same group", as(OTHER, USER)],
  ["root", []],
  ["root without capabilities", bare],
  ["root with one capability", setpriv("--bounding-set", "-all,+net_admin", "--inh-caps", "-all,+net_admin")],
  ...where(
    hasUserNamespaces,
    ["the user as root of a user namespace", [...as(USER, USER), ...ownNamespace]],
    ["root of a user namespace", ownNamespace],
  ),
];

/** As whom a target starts, and what it makes of itself afterwards. */
const targets: [string, string[], ...string[]][] = [
  ["of a user", as(USER, USER)],
  ["of a user with a capability", as(USER, USER, ...withCapability)],
  ["of a user with more groups", setpriv("--reuid", `${USER}`, "--regid", `${USER}`, "--groups", `${OTHER}`)],
  ["of a user, with no_new_privs", as(USER, USER, "--no-new-privs")],
  ["of a user, that takes no_new_privs", as(USER, USER), "no-new-privs"],
  ["of a user, that shuts itself", as(USER, USER), "dumpable=0"],
  ["of root", []],
  ["of root without capabilities", bare],
  ["of root, that gives up its capabilities", [], "no-capabilities"],
  ["of root, that becomes a user", [], `user=${USER}`],
  ["of root, that becomes a user, and opens itself again", [], `user=${USER}`, "dumpable=1"],
  ["of root, with the rights of a user for a while", [], `effective=${USER}`],
  ["of root, with them for a while, open again", [], `effective=${USER}`, "dumpable=1"],
  ...where(
    hasUserNamespaces,
    ["of a user, as root of a user namespace", [...as(USER, USER), ...ownNamespace]],
    ["of a user, that moves to a user namespace", as(USER, USER), "namespace"],
  ),
];

describe.skipIf(why)(`a target (${why ?? "as root"})`, () => {
  /** Readable for every user, which the project's own folder need not be. */
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
    chmodSync(folder, 0o755);
    for (const file of [library, program("credentials"), program("intruder")])
      copyFileSync(file, join(folder, file.split("/").at(-1) as string));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const startTarget = (how: string[], changes: string[], ...variables: string[]) =>
    startReady([...how, "env", ...variables, join(folder, "credentials"), ...changes]);

  const protection = () => [
    `LD_PRELOAD=${join(folder, "libasync-teardown.so")}`,
    "ASYNC_TEARDOWN=pid:0000000000/ns:0000000000/strict:1",
  ];

  /** The doors that opened to an intruder, for each process. */
  async function doorsOf(how: string[], ...pids: number[]): Promise<string[][]> {
    const { exitCode, stdout } = await runToEnd([...how, join(folder, "intruder"), ...pids.map(String)]);

    expect(exitCode).toBe(0);
    return stdout.split("\n").map((line) => line.split(" ").slice(1));
  }

  /** By intruder, the doors that open of the second process only; and how many opened of the first. */
  async function doorsMore(target: number, other: number) {
    const more: Record<string, string[]> = {};
    const opened: number[] = [];

    for (const [name, how] of intruders) {
      const [ofTarget = [], ofOther = []] = await doorsOf(how, target, other);

      more[name] = ofOther.filter((door) => !ofTarget.includes(door));
      opened.push(ofTarget.length);
    }
    return { more, opened };
  }

  const none = Object.fromEntries(intruders.map(([name]) => [name, []]));

  it.each(targets)("%s is no more open by its helper", async (_, how, ...changes) => {
    const { pid } = await startTarget(how, changes, ...protection());
    const { more, opened } = await doorsMore(pid, helperOf(pid));

    expect(more).toEqual(none);
    expect(Math.max(...opened)).toBeGreaterThanOrEqual(14); // the doors are real: root's intruder opened all
    expect(Math.min(...opened)).toBeLessThan(14);
  });

  it.each(targets)("%s is no more open by its holder", async (_, how, ...changes) => {
    const { pid } = await startTarget(how, changes);
    const { holderPid: holder } = await attach(pid);

    expect((await doorsMore(pid, holder)).more).toEqual(none);
  });
});
