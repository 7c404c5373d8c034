/** Units as Debian ships them, hardened as they are, with run in front of their command. */
import { cpus } from "node:os";
import { beforeAll, describe, expect, test } from "vitest";
import { missing } from "../support/component.js";
import { asyncTeardown, library } from "../support/paths.js";
import { bootSystemd, type Systemd } from "../support/systemd.js";

const noServers =
  missing("redis-server", "redis-server") ??
  missing("memcached", "memcached") ??
  missing("nginx", "nginx-light") ??
  missing("php-fpm8.2", "php8.2-fpm");
const booted = noServers ?? (await bootSystemd());
const reason = typeof booted === "string" ? booted : undefined;
const systemd = booted as Systemd;

/** Where the settings of these units let nobody write, but everybody read and execute. */
const folder = "/usr/lib/async-teardown";

interface Unit {
  readonly command: string;
  readonly options?: string;
  /** As the kernel names its processes. */
  readonly server: string;
  /** How many processes it has, each with a helper of its own. */
  readonly processes: number;
}

const units: Record<string, Unit> = {
  "redis-server": {
    command: "/usr/bin/redis-server /etc/redis/redis.conf --supervised systemd --daemonize no",
    server: "redis-server",
    processes: 1,
  },
  memcached: {
    command: "/usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf",
    server: "memcached",
    processes: 1,
  },
  "php8.2-fpm": {
    command: "/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config /etc/php/8.2/fpm/php-fpm.conf",
    options: "--follow-forks",
    server: "php-fpm8.2",
    processes: 3, // pm.start_servers is 2
  },
  nginx: {
    command: "/usr/sbin/nginx -g 'daemon on; master_process on;'",
    options: "--follow-forks",
    server: "nginx",
    processes: 1 + cpus().length,
  },
};

describe.skipIf(reason)(`Debian's unit of (${reason ?? "a real systemd"})`, () => {
  beforeAll(() => systemd.install(folder, asyncTeardown, library));

  test.each(Object.entries(units))("%s has all of its server protected", async (unit, kind) => {
    const words = `${folder}/async-teardown run --mechanism helper ${kind.options ?? ""} -- ${kind.command}`;
    const expected = [
      ...Array<string>(kind.processes).fill("cleanup/N"),
      ...Array<string>(kind.processes).fill(kind.server),
    ];

    systemd.write(
      `/etc/systemd/system/${unit}.service.d/async-teardown.conf`,
      `[Service]\nExecStart=\nExecStart=${words}\n`,
    );
    await systemd.output("systemctl", "daemon-reload");
    await systemd.output("systemctl", "restart", unit);

    // A server that forks is not done with that when systemd hears that it has started.
    await systemd.until(
      async () => (await systemd.processNames(unit)).length >= expected.length,
      `${unit} has ${expected.length} processes`,
    );
    expect(await systemd.processNames(unit)).toEqual(expected);
    await systemd.output("systemctl", "stop", unit);
  });
});
