import { type SpawnOptions, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { spawn as spawnProtected } from "async-teardown";
import type { Load } from "./load.js";

const holder = fileURLToPath(new URL("holder.js", import.meta.url));
const options: SpawnOptions = { stdio: ["pipe", "ignore", "pipe"] };

export function nodeLoad(): Load {
  const command = (bytes: number) => [process.execPath, [holder, String(bytes)], options] as const;

  return {
    subject: "a Node.js process",
    contenders: [
      { name: "plain", start: (bytes) => spawn(...command(bytes)), hasHelper: false },
      { name: "protected", start: (bytes) => spawnProtected(...command(bytes)), hasHelper: true },
    ],
  };
}
