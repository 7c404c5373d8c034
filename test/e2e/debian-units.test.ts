/** Units as Debian ships them, hardened as they are, with run in front of their command. */
import { dirname } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtFile } from "../../src/linux/native.js";
import { missing } from "../support/component.js";
import { bootSystemd, type Systemd } from "../support/systemd.js";

const noServers =
  (await missing("redis-server", "redis-server")) ?? (await missing("memcached", "memcached"));
const booted = noServers ?? (await bootSystemd());
const reason = typeof booted === "string" ? booted : undefined;
const systemd = booted as Systemd;

/** Where the settings of these units let nobody write, but everybody read and execute. */
const folder = "/usr/lib/async-teardown";

/** A unit, its command, and the process that it is to protect. */
const units = [
  [
    "redis-server",
    "/usr/bin/redis-server /etc/redis/redis.conf --supervised systemd --daemonize no",
    "redis-server",
  ],
  ["memcached", "/usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf", "memcached"],
] as const;

describe.skipIf(reason)(`Debian's unit of (${reason ?? "a real systemd"})`, () => {
  beforeAll(async () => {
    const built = dirname(builtFile("libasync-teardown.so"));

    await systemd.output(
      "sh",
      "-c",
      `mkdir -p ${folder} && cp ${built}/async-teardown ${built}/libasync-teardown.so ${folder} && chmod -R a+rX ${folder}`,
    );
  });

  test.each(units)("%s has its server protected", async (unit, command, server) => {
    systemd.write(
      `/etc/systemd/system/${unit}.service.d/async-teardown.conf`,
      `[Service]\nExecStart=\nExecStart=${folder}/async-teardown run --mechanism helper -- ${command}\n`,
    );
    await systemd.output("systemctl", "daemon-reload");
    await systemd.output("systemctl", "restart", unit);

    const pid = await systemd.output("systemctl", "show", "--value", "-p", "MainPID", unit);
    const names = async () => {
      const group = `/sys/fs/cgroup/system.slice/${unit}.service/cgroup.procs`;
      const { stdout } = await systemd.run(
        "sh",
        "-c",
        `for p in $(cat ${group}); do cat /proc/$p/comm; done`,
      );
      return stdout.split("\n").sort();
    };
    await systemd.until(async () => (await names()).includes(server), `${server} runs`);
    expect(await names()).toEqual([`cleanup/${pid}`, server]);
    await systemd.output("systemctl", "stop", unit);
  });
});
