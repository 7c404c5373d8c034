import { describe, expect, it } from "vitest";
import { renderListing } from "../../src/cli/listing.js";
import { addressSpaceOf } from "../../src/teardown/address-space.js";

const nothing = { addressSpaces: [], totals: [], hidden: 0, unconfirmed: [], hidesOthers: false };

describe("a row", () => {
  it.each([
    [["/usr/bin/redis-server", "*:6379"], "redis-server *:6379"],
    [["redis-server unixsocket:/run/redis.sock"], "redis-server unixsocket:/run/redis.sock"],
    [["nginx: master process /usr/sbin/nginx"], "nginx: master process /usr/sbin/nginx"],
    [["/usr/bin/redis-server unixsocket:/run/redis.sock"], "redis-server unixsocket:/run/redis.sock"],
    [["/opt/a b/server"], "a b/server"],
  ])("has the command %j without its directory", (command, text) => {
    const space = { ...addressSpaceOf(1, [], false), command };
    expect(renderListing({ ...nothing, addressSpaces: [space] })).toContain(` ${text} `);
  });
});

describe("a listing without a row", () => {
  it.each([
    [{}, "no process is protected, and no teardown is under way"],
    [{ hidden: 1 }, "no process is known to be protected, and no teardown to be under way"],
    [{ hidesOthers: true }, "no process is known to be protected, and no teardown to be under way"],
  ])("says no more than is known: %j", (seen, sentence) => {
    expect(renderListing({ ...nothing, ...seen })).toBe(sentence);
  });
});
