/** A real systemd, and services under it that are protected. A stopped holder keeps the memory, to be looked at. */
import { describe, expect, test } from "vitest";
import type { AddressSpace } from "../../src/teardown/address-space.js";
import { asyncTeardown, program } from "../support/paths.js";
import { bootSystemd, type Systemd } from "../support/systemd.js";

const booted = await bootSystemd();
const reason = typeof booted === "string" ? booted : undefined;
const systemd = booted as Systemd;

const bytes = 64 * 2 ** 20;
const hog = `${program("hog")} ${bytes} stay`;
const tool = asyncTeardown;

async function list(): Promise<AddressSpace[]> {
  return JSON.parse(await systemd.output(tool, "ps", "--json")).addressSpaces;
}

const ps = async (unit: string) => (await list()).filter((space) => space.unit === unit);

const stateOf = async (unit: string) => (await systemd.run("systemctl", "is-active", unit)).stdout;
const property = (unit: string, name: string) =>
  systemd.output("systemctl", "show", "--value", "-p", name, unit);
const holderOf = (space: AddressSpace | undefined) => String(space?.protectors[0]?.pid);

/** The living processes of a service that are held, when there are so many. */
async function held(unit: string, count = 1): Promise<AddressSpace[]> {
  let spaces: AddressSpace[] = [];
  await systemd.until(async () => {
    spaces = (await ps(unit)).filter(({ state }) => state === "protected");
    return spaces.length >= count;
  }, `${count} of ${unit} are held`);
  return spaces;
}

const isOver = (unit: string) =>
  systemd.until(async () => (await ps(unit)).length === 0, `all memory of ${unit} is back`);
const scopes = () => systemd.output("systemctl", "list-units", "--plain", "--no-legend", "async-teardown-*");

async function service(name: string, text: string): Promise<string> {
  systemd.write(
    `/etc/systemd/system/${name}.service`,
    `[Unit]\nStartLimitIntervalSec=0\n[Service]\nTimeoutStopSec=30\n${text}\n`,
  );
  await systemd.output("systemctl", "daemon-reload");
  return `${name}.service`;
}

/** All files of units, and what is in them. */
const allUnits = () =>
  systemd.output("sh", "-c", "cd /etc/systemd && find . | sort && find . -type f | sort | xargs sha256sum");

const background = "sh -c '%s </dev/null >/dev/null 2>&1 &'".replace("%s", hog);
const kinds: [string, string][] = [
  ["simple", `Type=simple\nExecStart=${hog}`],
  ["exec", `Type=exec\nExecStart=${hog}`],
  ["notify", `Type=notify\nNotifyAccess=all\nExecStart=sh -c 'systemd-notify --ready; exec ${hog}'`],
  ["forking", `Type=forking\nExecStart=${background}`],
  ["oneshot", `Type=oneshot\nRemainAfterExit=yes\nExecStart=${background}`],
];

describe.skipIf(reason)(
  `under systemd${reason === undefined ? "" : `: ${reason}`}`,
  { timeout: 240_000 },
  () => {
    test("services of every type stop while their memory is still there", async () => {
      const units: string[] = [];
      for (const [kind, text] of kinds) units.push(await service(`at-${kind}`, text));
      for (const unit of units) await systemd.output(tool, "systemd", "enable", unit);
      await systemd.output("systemctl", "start", ...units);
      const holders: string[] = [];
      for (const unit of units) holders.push(holderOf((await held(unit))[0]));

      await systemd.output("kill", "-STOP", ...holders);
      await systemd.output("systemctl", "stop", ...units);
      for (const unit of units) expect(await stateOf(unit)).not.toMatch(/^(active|deactivating)$/);
      const gone = (await list()).filter(({ unit }) => unit?.startsWith("at-"));
      expect(gone.map(({ unit, state }) => [unit, state]).sort()).toEqual(
        units.map((unit) => [unit, "target gone"]).sort(),
      );
      await systemd.output("kill", "-CONT", ...holders);
      for (const unit of units) await isOver(unit);
      await systemd.until(async () => (await scopes()) === "", "systemd has removed the scopes");
    });

    test("what the processes of a service share is kept when the main one unmaps it and ends", async () => {
      const unit = await service("at-shared", `ExecStart=${program("sharer")} ${bytes}`);
      await systemd.output(tool, "systemd", "enable", unit);
      await systemd.output("systemctl", "start", unit);
      const main = Number(await property(unit, "MainPID"));
      const spaces = await held(unit, 2);
      const keeper = holderOf(spaces.find(({ target }) => target === main));
      const kept = `stat -Lc '%b' $(find /proc/${keeper}/fd -lname '/dev/zero (deleted)')`;

      await systemd.output("kill", "-STOP", keeper);
      await systemd.output("systemctl", "stop", unit);
      expect(await stateOf(unit)).toBe("inactive");
      expect(Number(await systemd.output("sh", "-c", kept)) * 512).toBe(bytes);
      await systemd.output("kill", "-CONT", keeper);
      await isOver(unit);
    });

    test("a killed service is back, and held anew, before its old memory is", async () => {
      const unit = await service("at-killed", `ExecStart=${hog}\nRestart=on-failure\nRestartSec=0`);
      await systemd.output(tool, "systemd", "enable", unit);
      await systemd.output("systemctl", "start", unit);
      const [old] = await held(unit);

      await systemd.output("kill", "-STOP", holderOf(old));
      await systemd.output("systemctl", "kill", "--signal=KILL", "--kill-whom=all", unit);
      await systemd.until(
        async () => !["0", String(old?.target)].includes(await property(unit, "MainPID")),
        "it is started anew",
      );
      const [next] = await held(unit);
      expect(String(next?.target)).toBe(await property(unit, "MainPID"));
      expect(await property(unit, "NRestarts")).toBe("1");
      expect((await ps(unit)).map(({ state }) => state).sort()).toEqual(["protected", "target gone"]);

      await systemd.output("systemctl", "daemon-reexec");
      expect((await held(unit)).map(({ target }) => target)).toEqual([next?.target]);
      await systemd.output("kill", "-CONT", holderOf(old));
      await systemd.output(tool, "systemd", "disable", "--now", unit);
      await isOver(unit);
      expect(await stateOf(unit)).toBe("active");
      await systemd.output("systemctl", "stop", unit);
    });

    test("restarts in a row leave the last process held, and nothing else", async () => {
      const unit = await service("at-again", `ExecStart=${hog}`);
      await systemd.output(tool, "systemd", "enable", unit);
      for (let count = 0; count < 8; count++) await systemd.output("systemctl", "restart", unit);

      const main = await property(unit, "MainPID");
      await systemd.until(async () => {
        const spaces = await ps(unit);
        return spaces.length === 1 && spaces[0]?.state === "protected" && String(spaces[0].target) === main;
      }, "only the last process is held");
      await systemd.output("systemctl", "stop", unit);
      await isOver(unit);
      await systemd.until(async () => (await scopes()) === "", "systemd has removed the scopes");
    });

    test("what cannot be held starts all the same, with a line in the journal", async () => {
      const unit = await service("at-denied", `ExecStart=${hog}`);
      await systemd.output(tool, "systemd", "enable", unit);
      systemd.write(
        "/etc/systemd/system/async-teardown-hold@.service.d/deny.conf",
        "[Service]\nCapabilityBoundingSet=~CAP_SYS_PTRACE\n",
      );
      await systemd.output("systemctl", "daemon-reload");
      await systemd.output("systemctl", "start", unit);
      const journal = () => systemd.output("journalctl", "--output=cat", "--identifier=async-teardown");
      await systemd.until(async () => (await journal()).includes("cannot be held"), "the journal says so");

      expect(await stateOf(unit)).toBe("active");
      expect(await systemd.output("systemctl", "list-units", "--failed", "--plain", "--no-legend")).toBe("");
      await systemd.output("rm", "-r", "/etc/systemd/system/async-teardown-hold@.service.d");
      await systemd.output("systemctl", "stop", unit);
    });

    test("instances of a template with odd names, and all as it was after disable", async () => {
      const template = await service("at-app@", `ExecStart=${hog} %I`);
      const instance = (
        await systemd.output("systemd-escape", "--template=at-app@.service", "a/b c-d")
      ).trim();
      const before = await allUnits();

      await systemd.output("systemctl", "start", instance);
      await systemd.output(tool, "systemd", "enable", "--now", template);
      const [space] = await held(instance);
      expect(space?.command).toEqual([program("hog"), String(bytes), "stay", "a/b c-d"]);
      expect(await systemd.output(tool, "systemd", "status", instance)).toMatch(
        /enabled\n[\s\S]*1 of 1 processes held/,
      );
      await systemd.output(tool, "systemd", "enable", instance);
      await systemd.output(tool, "systemd", "disable", template);
      await systemd.output(tool, "systemd", "disable", "--now", instance);
      expect(await allUnits()).toBe(before);
      await isOver(instance);
      await systemd.output("systemctl", "stop", instance);
    });

    test("says in a line why not, and changes nothing", async () => {
      const unit = await service("at-refused", `ExecStart=${hog}`);
      const dropIn = `/etc/systemd/system/${unit}.d/50-async-teardown.conf`;
      await systemd.output("ln", "-sf", "/dev/null", "/etc/systemd/system/at-masked.service");
      await systemd.output("systemd-run", "--unit=at-transient", "sleep", "infinity");
      await systemd.output("systemctl", "daemon-reload");

      const refused = (why: RegExp, ...words: string[]) => refusedTo([], why, ...words);
      async function refusedTo(user: string[], why: RegExp, ...words: string[]): Promise<void> {
        const { exitCode, stderr } = await systemd.run(...user, tool, "systemd", ...words);
        expect([exitCode, stderr.split("\n").length]).toEqual([125, 1]);
        expect(stderr).toMatch(why);
      }
      const before = await allUnits();
      await refused(/does not exist/, "enable", "at-nowhere");
      await refused(/does not exist/, "enable", "at-nowhere@");
      await refused(/is masked/, "enable", "at-masked");
      await refused(/is transient/, "enable", "at-transient");
      await refused(/is a slice/, "enable", "system.slice");
      await refused(/is not the name/, "enable", "a b");
      await refused(/no systemd runs for this user/, "enable", "--user", unit);
      const nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"];
      await refusedTo(
        nobody,
        /^async-teardown: \/etc\/systemd\/system\S* cannot be written \(EACCES\)/,
        "enable",
        unit,
      );

      await systemd.output(tool, "systemd", "enable", "--dry-run", unit);
      await refused(/does not exist/, "status", "at-nowhere");
      expect(await allUnits()).toBe(before);

      await systemd.output(tool, "systemd", "enable", unit);
      await systemd.output("sh", "-c", `echo '# mine' >> ${dropIn}`);
      const changed = await allUnits();
      await refused(/somebody else changed/, "enable", unit);
      await refused(/somebody else changed/, "disable", unit);
      expect(await allUnits()).toBe(changed);
      await systemd.output("sh", "-c", `rm ${dropIn} && ln -s /etc/passwd ${dropIn}`);
      await refused(/somebody else changed/, "enable", unit);
      await systemd.output("rm", "-r", `/etc/systemd/system/${unit}.d`);
      await systemd.output("systemctl", "stop", "at-transient");
    });
  },
);
