// @ts-check
/** What test/support/readers.c is made of, for the tests and for test/fuzz/fuzz.js. */

/** The files of one folder. @param {string} folder @param {string[]} names */
const from = (folder, ...names) => names.map((name) => `native/${folder}/${name}.c`);

export const sources = [
  "test/support/readers.c",
  ...from("command", "elf", "executable", "find", "refusal", "script", "variables"),
  ...from("common", "maps", "pid_namespace", "proc_status", "protection", "record", "size"),
  ...from("helper", "nodes", "own", "pieces", "proc_stat"),
  ...from("holder", "argv_record", "resident", "shared"),
  ...from("launcher", "help", "options", "qemu", "qemu_config"),
];

/**
 * At a fixed address: the sanitizers of Debian 12 do not start where the kernel lays out memory with 32 random
 * bits (vm.mmap_rnd_bits), if the program may be in their way.
 */
export const flags = [
  ...["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Inative", "-fno-pie", "-no-pie"],
  ...["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
];

/** The readers free what they have, but LeakSanitizer does not run everywhere: it needs ptrace. */
export const environment = { ASAN_OPTIONS: "detect_leaks=0" };
