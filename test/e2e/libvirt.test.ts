import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hookText } from "../../src/integrations/libvirt/hook.js";
import { eventually, Libvirt, machine, noLibvirt } from "../support/libvirt.js";
import { asyncTeardown, nativeFolder, root } from "../support/paths.js";
import { helperOf, helpersOf, holdersOf, isAlive } from "../support/proc.js";

const reason = noLibvirt();
const libvirt = new Libvirt();
const limit = { timeout: 200_000 };

const command = (...words: string[]) => libvirt.run([asyncTeardown, "libvirt", ...words]);
const ourEmulator = join(root, nativeFolder, "qemu-async-teardown");
const xmlOf = (domain: string) => libvirt.virsh("dumpxml", "--inactive", "--security-info", domain);

async function define(xml: string): Promise<void> {
  const { exitCode, stderr } = await libvirt.run(
    ["sh", "-c", "cat >/run/libvirt/x && virsh define /run/libvirt/x"],
    xml,
  );
  expect([exitCode, stderr.trim()]).toEqual([0, ""]);
}

const statusOf = async (domain: string) => JSON.parse((await command("status", "--json", domain)).stdout)[0];

/** The domain files, for the QEMU and the kind of domain that are here; what is in them else stays. */
const inPractice = readdirSync(join(root, "test/integrations/libvirt/domains"))
  .map((name) => readFileSync(join(root, "test/integrations/libvirt/domains", name), "utf8"))
  .map((xml) => xml.replace(/type\s*=\s*["']kvm["']/, "type='qemu'"))
  .map((xml) => xml.replace(/(<emulator>).*(?=<.emulator>)/, "$1/usr/bin/qemu-system-x86_64"))
  .map((xml) => xml.replace("arch='aarch64' machine='virt'", "arch='x86_64'"));

describe.skipIf(reason)(`libvirt (${reason ?? "Debian's"})`, limit, () => {
  beforeAll(async () => {
    await libvirt.start();
    await define(machine("vm"));
  }, 200_000);
  afterAll(() => libvirt.stop(), 200_000);

  it("has a domain protected by QEMU's own option, and as it was afterwards", limit, async () => {
    const before = await xmlOf("vm");

    expect((await command("enable", "--dry-run", "vm")).stdout).toMatch(
      /^\+ +<qemu:arg value="-async-teardown"\/>$/m,
    );
    expect(await xmlOf("vm")).toBe(before);
    expect(await command("enable", "vm")).toMatchObject({
      exitCode: 0,
      stdout: "vm: enabled by commandline",
      stderr: "",
    });
    const enabled = await xmlOf("vm");
    expect((await command("enable", "vm")).stdout).toBe("vm: enabled by commandline already");
    expect(await xmlOf("vm")).toBe(enabled);

    await libvirt.virsh("start", "vm");
    const pid = await libvirt.pidOf("vm");
    expect(await statusOf("vm")).toMatchObject({
      configured: ["commandline"],
      isActive: true,
      pid,
      protectedBy: ["qemu"],
    });
    expect((await command("status")).stdout).toMatch(
      new RegExp(`^vm +commandline +${pid}  QEMU's helper$`, "m"),
    );
    await libvirt.virsh("destroy", "vm");

    expect((await command("disable", "vm")).stdout).toBe("vm: disabled");
    expect(await xmlOf("vm")).toBe(before);
    expect((await command("disable", "vm")).stdout).toBe("vm: not enabled already");
    expect((await command("status", "vm")).stdout).toMatch(/^vm +no +- +-$/m);
  });

  it("has a domain protected by our emulator, in the sandbox that libvirt gives a QEMU", limit, async () => {
    const before = await xmlOf("vm");

    expect((await command("enable", "--via", "emulator", "--all", "--json")).exitCode).toBe(0);
    await libvirt.virsh("start", "vm");
    const pid = await libvirt.pidOf("vm");
    const helper = helperOf(pid);
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toContain("-sandbox\0on");
    expect(await statusOf("vm")).toMatchObject({ configured: ["emulator"], pid, protectedBy: ["helper"] });

    process.kill(helper, "SIGSTOP"); // the memory is not back yet
    await libvirt.virsh("destroy", "vm");
    expect([isAlive(pid), isAlive(helper)]).toEqual([false, true]);
    await libvirt.virsh("start", "vm"); // and the next start does not wait for it
    process.kill(helper, "SIGCONT");
    await eventually(() => !isAlive(helper), "the helper has ended");

    expect((await command("disable", "vm")).stdout).toBe("vm: disabled, from its next start on");
    expect(await xmlOf("vm")).toBe(before);
    expect(await statusOf("vm")).toMatchObject({ configured: [], protectedBy: ["helper"] });
    await libvirt.virsh("destroy", "vm");
  });

  it("has the same capabilities for our emulator as for the QEMU behind it", limit, async () => {
    const cache = "/var/cache/libvirt/qemu/capabilities";
    const files = (await libvirt.output("grep", "-rl", "<emulator>", cache)).split("\n");
    const caches = await Promise.all(files.map((file) => libvirt.output("cat", file)));
    const of = (emulator: string) =>
      caches
        .find((text) => text.includes(`<emulator>${emulator}</emulator>`))
        ?.replace(emulator, "")
        .replace(/<qemuctime>.*<.qemuctime>/, "");

    expect(of(ourEmulator)).toBeDefined();
    expect(of(ourEmulator)).toBe(of("/usr/bin/qemu-system-x86_64"));
  });

  it("leaves every domain as in practice as it was, byte for byte", limit, async () => {
    for (const xml of inPractice) await define(xml);
    const names = inPractice.map((xml) => /<name>(.*)<.name>/.exec(xml)?.[1] ?? "");
    const before = await Promise.all(names.map(xmlOf));

    for (const via of ["commandline", "emulator"]) {
      expect(await command("enable", "--via", via, ...names)).toMatchObject({ exitCode: 0, stderr: "" });
      const enabled = await Promise.all(names.map(xmlOf));
      expect(enabled.filter((xml, index) => xml === before[index])).toEqual([]);
      expect((await command("disable", ...names)).exitCode).toBe(0);
      expect(await Promise.all(names.map(xmlOf))).toEqual(before);
    }
    for (const name of names) await libvirt.virsh("undefine", "--nvram", name);
  });

  it("has a holder attached to whatever starts, by a hook beside those that are there", limit, async () => {
    const name = `R&D '<"a">'`;
    const file = "/etc/libvirt/hooks/qemu.d/async-teardown";
    const log = 'echo "$0 $1 $2" >>/run/libvirt/hooks\n';
    await libvirt.write("/etc/libvirt/hooks/qemu", `#!/bin/sh\n${log}`);
    await libvirt.write("/etc/libvirt/hooks/qemu.d/other", `#!/bin/sh\n${log}`);
    await define(machine(name.replaceAll("&", "&amp;").replaceAll("<", "&lt;")));

    expect((await command("hook", "install")).stdout).toBe(`${file}: installed; now reload libvirtd`);
    expect((await command("hook", "install")).stdout).toBe(`${file}: installed already`);
    process.kill(libvirt.pid, "SIGHUP"); // as systemctl reload
    await eventually(async () => {
      await libvirt.virsh("start", name);
      if ((await libvirt.run(["test", "-s", "/run/libvirt/hooks"])).exitCode === 0) return true;
      await libvirt.virsh("destroy", name);
      return false;
    }, "libvirtd has reloaded");
    const pid = await libvirt.pidOf(name);
    await eventually(() => holdersOf(pid).length === 1, "a holder holds it");
    expect(await statusOf(name)).toMatchObject({ configured: [], pid, protectedBy: ["holder"] });
    expect(await libvirt.output("cat", "/run/libvirt/hooks")).toMatch(
      /hooks\/qemu R&D '<"a">' started\n.*hooks\/qemu\.d\/other R&D '<"a">' started/s,
    );
    await libvirt.virsh("destroy", name);
    await eventually(() => helpersOf(pid).length === 0, "the holder has ended");

    await libvirt.virsh("undefine", name);
    await libvirt.run(["sh", "-c", 'echo "# mine" >>"$0"', file]);
    expect((await command("hook", "remove")).stderr).toMatch(/was changed since it was installed/);
    expect((await command("hook", "install")).stderr).toMatch(/is there, and is not what/);
    await libvirt.output("sed", "-i", "$d", file);
    expect((await command("hook", "remove")).stdout).toBe(`${file}: removed`);
    expect((await command("hook", "remove")).stdout).toBe(`${file}: not installed`);
    expect(await libvirt.output("ls", "/etc/libvirt/hooks/qemu.d")).toBe("other");
  });

  it(
    "finds a QEMU where libvirtd does not look, and for another CPU, by a link beside it",
    limit,
    async () => {
      const folder = "/run/libvirt/q";
      const link = `${folder}/qemu-async-teardown-none`;
      await libvirt.write(`${folder}/qemu-system-none`, '#!/bin/sh\nexec /usr/bin/qemu-system-x86_64 "$@"\n');
      await define(machine("other", "", `${folder}/qemu-system-none`));

      const { exitCode, stderr } = await command("enable", "--via", "emulator", "other");
      expect([exitCode, stderr]).toEqual([
        125,
        expect.stringContaining(`link it beside that QEMU: ln -s ${ourEmulator} ${link}`),
      ]);
      await libvirt.output("ln", "-s", ourEmulator, link);
      expect((await command("enable", "--via", "emulator", "other")).stdout).toBe(
        "other: enabled by emulator",
      );
      expect(await xmlOf("other")).toContain(`<emulator>${link}</emulator>`);
      await libvirt.write(`${folder}/qemu-system-none`, "#!/bin/sh\nexit 3\n");
      expect((await command("enable", "--via", "commandline", "other")).stderr).toMatch(
        /^async-teardown: \/run\/libvirt\/q\/qemu-system-none could not be asked [^\n]+$/,
      );
      await libvirt.virsh("undefine", "other");
    },
  );

  it("is neither delayed nor failed by a hook that hangs", limit, async () => {
    const file = "/etc/libvirt/hooks/qemu.d/async-teardown";
    await libvirt.write("/run/libvirt/hangs", "#!/bin/sh\necho $$ $2 >/run/libvirt/hung\nexec sleep 1000\n");
    await libvirt.write(file, hookText("/run/libvirt/hangs"));
    process.kill(libvirt.pid, "SIGHUP");

    let hung = "";
    await eventually(async () => {
      await libvirt.virsh("start", "vm");
      hung = (await libvirt.run(["cat", "/run/libvirt/hung"])).stdout;
      if (hung !== "") return true;
      await libvirt.virsh("destroy", "vm");
      return false;
    }, "the hook hangs");
    const [hanging, pid] = hung.split(" ").map(Number);
    expect(pid).toBe(await libvirt.pidOf("vm"));
    expect(isAlive(hanging as number)).toBe(true);
    expect(await libvirt.isRunning("vm")).toBe(true);
    process.kill(hanging as number, "SIGKILL");
    await libvirt.virsh("destroy", "vm");
    await libvirt.output("rm", file);
  });

  it("says in one line what is wrong, and changes nothing", limit, async () => {
    const emulator = "/run/libvirt/emulator";
    const before = await xmlOf("vm");
    await libvirt.write(emulator, '#!/bin/sh\nexec qemu-system-x86_64 "$@"\n');
    await define(machine("dies", "", emulator));
    await libvirt.write(emulator, "#!/bin/sh\nkill -9 $$\n");
    await libvirt.run(
      ["sh", "-c", "cat >/run/libvirt/x && virsh create /run/libvirt/x"],
      machine("transient"),
    );
    const dying = await xmlOf("dies");

    const wrong: [string[], RegExp][] = [
      [["enable", "nosuch"], /^async-teardown: there is no domain 'nosuch'; [^\n]+$/],
      [["enable", "transient"], /^async-teardown: domain 'transient' is transient: [^\n]+$/],
      [["disable", "transient"], /^async-teardown: domain 'transient' is transient: [^\n]+$/],
      [
        ["enable", "--via", "feature", "vm"],
        /^async-teardown: this libvirt or [^\n]+ does not have the feature [^\n]+$/,
      ],
      [["enable", "dies"], /^async-teardown: [^\n]*\/run\/libvirt\/emulator[^\n]+$/],
      [
        ["enable", "--via", "commandline", "dies"],
        /^async-teardown: [^\n]+could not be asked[^\n]+SIGKILL[^\n]+$/,
      ],
      [
        ["enable", "--via", "emulator", "dies"],
        /^async-teardown: [^\n]+could not be asked[^\n]+SIGKILL[^\n]+$/,
      ],
      [
        ["enable", "-c", "qemu:///system?socket=/nowhere", "vm"],
        /^async-teardown: libvirt could not [^\n]+\/nowhere[^\n]+$/,
      ],
      [
        ["enable", "-c", "qemu+unix:///system?socket=/run/libvirt/libvirt-sock-ro", "vm"],
        /^async-teardown: libvirt could not [^\n]+read only access[^\n]+$/,
      ],
      [["enable"], /^async-teardown: domains are named [^\n]+$/],
    ];
    for (const [words, sentence] of wrong) {
      const { exitCode, stdout, stderr } = await command(...words);
      expect([exitCode, stdout]).toEqual([125, ""]);
      expect(stderr).toMatch(sentence);
    }
    expect([await xmlOf("vm"), await xmlOf("dies")]).toEqual([before, dying]);
    expect(await libvirt.isRunning("transient")).toBe(true);
    expect(await libvirt.virsh("list", "--all", "--persistent", "--name")).not.toContain("transient");
  });
});
