#include "own.h"

#include <linux/elf.h>

#include "common/sys.h"

static int holds(const struct mapping *mapping, uintptr_t address)
{
	return address >= mapping->start && address < mapping->end;
}

/* This library's ELF header, at the first byte of it as it is loaded: the linker's own symbol. */
extern const Elf64_Ehdr own_header __asm__("__ehdr_start") __attribute__((visibility("hidden")));

static uintptr_t own_end(void)
{
	uintptr_t start = (uintptr_t)&own_header;
	const Elf64_Phdr *segments = (const Elf64_Phdr *)(start + own_header.e_phoff);
	uintptr_t end = start;

	for (int i = 0; i < own_header.e_phnum; i++) {
		uintptr_t last = start + segments[i].p_vaddr + segments[i].p_memsz;

		if (segments[i].p_type == PT_LOAD && last > end)
			end = last;
	}
	return end;
}

void own_add_shadow_stack(struct own *own)
{
	uintptr_t pointer = shadow_stack_pointer();

	if (pointer)
		own->shadow_stacks[own->shadow_stack_count++] = pointer;
}

int own_includes(const struct own *own, const struct mapping *mapping)
{
	for (unsigned i = 0; i < own->shadow_stack_count; i++)
		if (holds(mapping, own->shadow_stacks[i]))
			return 1;
	return holds(mapping, (uintptr_t)own->stacks) ||
	       (mapping->start < own_end() && mapping->end > (uintptr_t)&own_header);
}
