/** What an ELF file says of itself; elf(5). */
export interface ElfHeader {
  readonly is64Bit: boolean;
  /** e_machine: 62 is x86-64, 183 aarch64. */
  readonly machine: number;
  /** Where the program headers are, in bytes of the file. */
  readonly programHeaders: { readonly offset: number; readonly entryBytes: number; readonly count: number };
}

export const elfMachines: Record<string, number> = { x64: 62, arm64: 183 };

/** Bytes to read from a file's start for {@link parseElfHeader}. */
export const elfHeaderBytes = 64;

/** What a program header of a 64-bit file takes; the kernel executes no file that says otherwise. */
export const programHeaderBytes = 56;

const segmentTypeInterpreter = 3; // PT_INTERP

/** Reads the header of an ELF file; undefined where the bytes are not the start of one. */
export function parseElfHeader(start: Buffer): ElfHeader | undefined {
  if (start.length < 52 || start.toString("latin1", 0, 4) !== "\x7fELF") return undefined;
  const is64Bit = start[4] === 2;
  const isLittleEndian = start[5] === 1;

  if (is64Bit && start.length < elfHeaderBytes) return undefined;
  const half = (at: number) => (isLittleEndian ? start.readUInt16LE(at) : start.readUInt16BE(at));
  const word = (at: number) => (isLittleEndian ? start.readUInt32LE(at) : start.readUInt32BE(at));
  const long = (at: number) => Number(isLittleEndian ? start.readBigUInt64LE(at) : start.readBigUInt64BE(at));

  return {
    is64Bit,
    machine: half(18),
    programHeaders: {
      offset: is64Bit ? long(32) : word(28),
      entryBytes: half(is64Bit ? 54 : 42),
      count: half(is64Bit ? 56 : 44),
    },
  };
}

/**
 * Whether a loader starts the program, and so honours LD_PRELOAD: a file without PT_INTERP is
 * statically linked. Takes the program headers of a little-endian file.
 */
export function namesInterpreter(programHeaders: Buffer, entryBytes: number): boolean {
  for (let at = 0; entryBytes >= 4 && at + entryBytes <= programHeaders.length; at += entryBytes)
    if (programHeaders.readUInt32LE(at) === segmentTypeInterpreter) return true;
  return false;
}
