import { closeSync, openSync, readSync } from "node:fs";

function readMachine(path: string): number {
  const header = Buffer.alloc(20);
  const file = openSync(path, "r");

  readSync(file, header, 0, header.length, 0);
  closeSync(file);
  return header.readUInt16LE(18);
}

/** The number of this CPU in ELF files, as Node.js's own has it; elf(5), e_machine. */
export const elfMachine: number = readMachine(process.execPath);
