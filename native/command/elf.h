/* What an ELF file says of itself; elf(5). Nothing here reads a file, and nothing believes a size. */
#ifndef ASYNC_TEARDOWN_ELF_H
#define ASYNC_TEARDOWN_ELF_H

#include <stddef.h>
#include <stdint.h>

#define ELF_HEADER_BYTES 64
#define ELF_PROGRAM_HEADER_BYTES 56
#define ELF_DYNAMIC_BYTES 16

struct elf_header {
	int is_64_bit;
	int is_little_endian;
	unsigned machine; /* 62 is x86-64, 183 aarch64 */
	/* Where the program headers are in the file. */
	uint64_t offset;
	unsigned entry_bytes, count;
};

enum elf_segment_type { ELF_LOAD = 1, ELF_DYNAMIC = 2, ELF_INTERPRETER = 3 };

struct elf_segment {
	uint32_t type;			 /* enum elf_segment_type, and others */
	uint64_t offset, address, bytes; /* in the file, in memory, in the file */
};

enum elf_dynamic_tag { ELF_END = 0, ELF_NEEDED = 1, ELF_STRINGS = 5 };

struct elf_dynamic {
	uint64_t tag; /* enum elf_dynamic_tag, and others */
	uint64_t value;
};

int elf_is(const char *start, size_t bytes);

/* Whether the header is whole. */
int elf_header_parse(const char *start, size_t bytes, struct elf_header *header);

/* Of a 64-bit little-endian file. */
struct elf_segment elf_segment_parse(const char entry[ELF_PROGRAM_HEADER_BYTES]);
struct elf_dynamic elf_dynamic_parse(const char entry[ELF_DYNAMIC_BYTES]);

#endif
