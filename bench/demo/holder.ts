/*
 * The load: holds as many bytes as its argument says, in Buffers, until it is killed, or its standard
 * input ends because the demo is gone.
 */

import { MiB } from "../units.js";

const wanted = Number(process.argv[2]);
const bytesEach = 64 * MiB;
const buffers: Buffer[] = [];

for (let held = 0; held < wanted; held += bytesEach)
  buffers.push(Buffer.alloc(Math.min(bytesEach, wanted - held), 1)); // not 0: pages are taken when written

process.stdin.resume().on("end", () => {
  buffers.length = 0; // this use, which is yet to come, keeps the garbage collector away from them
  process.exit();
});
