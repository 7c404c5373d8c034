import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { noHolder, timeExit } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { holdersOf, isParked, until } from "../support/proc.js";
import { ending, runToEnd, type Started, start } from "../support/start.js";

const bin = "/usr/lib/postgresql/15/bin";
const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
const asPostgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"];
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 10 }));
async function sql(query: string) {
  const r = await runToEnd(["psql", "-h", folder, "-U", "postgres", "-Atc", query], {
    env: { PGOPTIONS: "" },
  });
  return r.stdout.trim() + r.stderr;
}
async function boot(): Promise<Started> {
  const server = start(
    [
      ...asPostgres,
      `${bin}/postgres`,
      "-D",
      join(folder, "data"),
      "-k",
      folder,
      "-c",
      "listen_addresses=",
      "-c",
      `shared_buffers=${process.env.SB ?? 384}MB`,
      "-c",
      "huge_pages=off",
      "-c",
      "fsync=off",
      "-c",
      "autovacuum=off",
      "-c",
      "max_wal_size=8GB",
    ],
    { stdio: "ignore" },
  );
  for (;;) {
    if ((await sql("select 1")) === "1") break;
  }
  return server;
}
const family = (pid: number) => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number),
];
describe("x", () => {
  it("x", async () => {
    console.log(bin, noHolder);
    chownSync(folder, statSync("/var/lib/postgresql").uid, statSync("/var/lib/postgresql").gid);
    let t = Date.now();
    console.log(
      (
        await runToEnd([
          ...asPostgres,
          `${bin}/initdb`,
          "-D",
          join(folder, "data"),
          "-A",
          "trust",
          "-U",
          "postgres",
          "--no-sync",
          "--locale=C",
          "-E",
          "UTF8",
        ])
      ).exitCode,
      Date.now() - t,
    );
    t = Date.now();
    let server = await boot();
    console.log("boot", Date.now() - t);
    t = Date.now();
    await sql("create extension pg_prewarm");
    console.log(
      await sql(
        `create table t as select i, repeat('x', 1000) from generate_series(1, ${Number(process.env.SB ?? 384) * 0.85 * 950}) i`,
      ),
      await sql("select pg_relation_size('t')/1048576"),
    );
    console.log("fill", Date.now() - t);
    t = Date.now();
    for (let run = 0; run < 8; run++) {
      const hold = run % 2 === 1;
      if (process.env.WARM) await sql("select pg_prewarm('t')");
      if (run === 0) console.log("warm", Date.now() - t);
      if (hold) {
        const pids = family(server.pid);
        const r = await runToEnd([asyncTeardown, "attach", ...pids.map(String)]);
        if (run === 1) console.log(r.stdout, r.stderr, r.exitCode, await sql("select count(*) from t"));
      }
      const rollup = readFileSync(`/proc/${server.pid}/status`, "utf8").match(/RssShmem.*/)?.[0];
      const ms = await timeExit(server, (c) => c.kill("SIGQUIT"));
      console.log(
        hold ? "held " : "plain",
        ms,
        await ending(server),
        rollup,
        readFileSync("/proc/meminfo", "utf8").match(/Shmem:.*/)?.[0],
      );
      t = Date.now();
      server = await boot();
      console.log("reboot", Date.now() - t);
      t = Date.now();
    }
    server.kill("SIGINT");
    await once(server, "exit");
  });
});
