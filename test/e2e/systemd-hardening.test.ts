/** Each of systemd's sandboxing settings, in a unit whose command is started by run. docs/systemd-hardening.md is its table. */
import { beforeAll, describe, expect, test } from "vitest";
import { asyncTeardown, library, program } from "../support/paths.js";
import { bootSystemd, type Systemd } from "../support/systemd.js";

const booted = await bootSystemd();
const reason = typeof booted === "string" ? booted : undefined;
const systemd = booted as Systemd;

/** Where users of every kind can read it, and no setting hides it. */
const folder = "/opt/async-teardown";

/** Tells systemd that it is ready, then becomes the hog. */
const notifier = `${folder}/notifier`;
const notifierText = `use IO::Socket::UNIX;
IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ENV{NOTIFY_SOCKET})->send("READY=1") or die;
exec "${folder}/hog", 1048576, "stay";
`;

const command = (...words: string[]) =>
  [`${folder}/async-teardown`, "run", "--mechanism", "helper", "--", ...words].join(" ");

/** What `systemd-analyze security` asks for, one by one, and what else limits a unit. */
const settings = [
  "User=nobody",
  "DynamicUser=yes",
  "SupplementaryGroups=adm",
  "CapabilityBoundingSet=",
  "User=nobody\nAmbientCapabilities=CAP_NET_BIND_SERVICE",
  "NoNewPrivileges=yes",
  "MemoryDenyWriteExecute=yes",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "RestrictAddressFamilies=none",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM",
  "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources",
  "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\nSystemCallErrorNumber=EPERM",
  "SystemCallFilter=~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap",
  "SystemCallLog=capset",
  "ProtectProc=invisible",
  "ProtectProc=ptraceable\nUser=nobody",
  "ProcSubset=pid",
  "PrivateUsers=yes",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "PrivateNetwork=yes",
  "PrivateIPC=yes",
  "PrivateMounts=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "ProtectHostname=yes",
  "ProtectClock=yes",
  "ProtectKernelTunables=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelLogs=yes",
  "ProtectControlGroups=yes",
  `NoExecPaths=/\nExecPaths=/usr /lib /lib64 ${folder}`,
  "RemoveIPC=yes\nUser=nobody",
  "KeyringMode=private",
  "UMask=0777",
  "DevicePolicy=closed",
  "DevicePolicy=strict\nDeviceAllow=/dev/null rw",
  `Type=notify\nNotifyAccess=main\nTimeoutStartSec=60\nExecStart=\nExecStart=${command("/usr/bin/perl", notifier)}`,
  "IPAddressDeny=any",
  "Delegate=no",
  "LimitMEMLOCK=0",
  "LimitNOFILE=8",
  "LimitCORE=0",
  "LimitSTACK=32K",
  "User=nobody\nLimitNPROC=100",
  `RootDirectory=/srv/root\nBindReadOnlyPaths=/usr /lib /lib64 ${folder}`,
  "OOMScoreAdjust=-900",
  "CPUSchedulingPolicy=idle",
  "CPUSchedulingPolicy=fifo",
  "Nice=10",
  "IgnoreSIGPIPE=no",
  "WorkingDirectory=/tmp",
];

/** What keeps a helper away, and the word for it that the unit's log gets. */
const refusals: [string, RegExp][] = [
  ["SystemCallFilter=~setsid", /could not start a session \(SIGSYS: .*'SystemCallFilter=setsid'/],
  [
    "SystemCallFilter=~setsid\nSystemCallErrorNumber=EPERM",
    /could not start a session \(EPERM: .*'SystemCallFilter=setsid'/,
  ],
  [`NoExecPaths=${folder}/libasync-teardown.so`, /libasync-teardown\.so/],
];

const unit = (kind: string, row: number) => `hardened-${kind}-${row}`;
const protectedUnits = settings.map((lines, row) => [lines, unit("protected", row)] as const);
const refusedUnits = refusals.map(([lines, why], row) => [lines, why, unit("refused", row)] as const);

function writeUnit(name: string, lines: string): void {
  systemd.write(
    `/etc/systemd/system/${name}.service`,
    `[Service]\nExecStart=${command(`${folder}/hog`, "1048576", "stay")}\n` +
      `StandardOutput=file:/run/${name}.out\nStandardError=file:/run/${name}.err\n${lines}\n`,
  );
}

const said = async (name: string, stream: "out" | "err") =>
  (await systemd.run("cat", `/run/${name}.${stream}`)).stdout;

const isActive = async (name: string) => (await systemd.run("systemctl", "is-active", name)).exitCode === 0;

describe.skipIf(reason)(`a unit of systemd (${reason ?? "a real one"})`, () => {
  // All at once: a start costs systemd more than it costs us.
  beforeAll(async () => {
    await systemd.output("mkdir", "--parents", "/srv/root");
    await systemd.install(folder, asyncTeardown, library, program("hog"));
    systemd.write(notifier, notifierText);
    for (const [lines, name] of protectedUnits) writeUnit(name, lines);
    for (const [lines, , name] of refusedUnits) writeUnit(name, lines);
    await systemd.output("systemctl", "daemon-reload");
    const names = [...protectedUnits.map(([, name]) => name), ...refusedUnits.map(([, , name]) => name)];
    await systemd.run("systemctl", "start", ...names);
  });

  test.each(protectedUnits)("with %s has its command protected", async (_, name) => {
    await systemd.until(
      async () => (await said(name, "out")).includes("ready") || !(await isActive(name)),
      `${name} has started`,
    );
    expect([await systemd.processNames(name), await said(name, "err")]).toEqual([["cleanup/N", "hog"], ""]);
  });

  test.each(refusedUnits)("with %s is told why there is no helper", async (_, why, name) => {
    await systemd.until(async () => !(await isActive(name)), `${name} has ended`);
    expect(await said(name, "err")).toMatch(why);
    expect(await systemd.output("systemctl", "show", "--value", "-p", "ExecMainStatus", name)).toBe("125");
  });
});
