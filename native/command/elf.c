#include "elf.h"

#define IDENTIFICATION "\177ELF"
#define SMALLEST_HEADER 52 /* of a 32-bit file */

static uint64_t read_number(const char *at, int bytes, int is_little_endian)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | (unsigned char)at[is_little_endian ? bytes - 1 - i : i];
	return value;
}

int elf_is(const char *start, size_t bytes)
{
	for (size_t i = 0; i < sizeof(IDENTIFICATION) - 1; i++)
		if (i >= bytes || start[i] != IDENTIFICATION[i])
			return 0;
	return 1;
}

int elf_header_parse(const char *start, size_t bytes, struct elf_header *header)
{
	if (bytes < SMALLEST_HEADER || !elf_is(start, bytes))
		return 0;
	int is_64_bit = start[4] == 2, little = start[5] == 1;

	if (is_64_bit && bytes < ELF_HEADER_BYTES)
		return 0;
	*header = (struct elf_header){
		.is_64_bit = is_64_bit,
		.is_little_endian = little,
		.machine = (unsigned)read_number(start + 18, 2, little),
		.offset = is_64_bit ? read_number(start + 32, 8, little) : read_number(start + 28, 4, little),
		.entry_bytes = (unsigned)read_number(start + (is_64_bit ? 54 : 42), 2, little),
		.count = (unsigned)read_number(start + (is_64_bit ? 56 : 44), 2, little),
	};
	return 1;
}

struct elf_segment elf_segment_parse(const char entry[ELF_PROGRAM_HEADER_BYTES])
{
	return (struct elf_segment){
		.type = (uint32_t)read_number(entry, 4, 1),
		.offset = read_number(entry + 8, 8, 1),
		.address = read_number(entry + 16, 8, 1),
		.bytes = read_number(entry + 32, 8, 1),
	};
}

struct elf_dynamic elf_dynamic_parse(const char entry[ELF_DYNAMIC_BYTES])
{
	return (struct elf_dynamic){.tag = read_number(entry, 8, 1), .value = read_number(entry + 8, 8, 1)};
}
