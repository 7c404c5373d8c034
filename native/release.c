#include "release.h"

#include <linux/elf.h>

#include "sys.h"

/* A step of RSS that a watcher sees: about 4 ms of one core in 4 KiB pages. */
#define CHUNK_BYTES ((uintptr_t)64 << 20)

struct mapping {
	uintptr_t start;
	uintptr_t end;
	int is_private_memory; /* anonymous and private: nobody else's file, lock or page */
};

/* /proc/<pid>/maps, read as a stream: a path in it may be longer than any buffer of ours. */
struct maps_reader {
	int fd;
	long offset;
	long filled;
	long next;
	char buffer[2048];
};

static int next_character(struct maps_reader *reader)
{
	if (reader->next == reader->filled) {
		long bytes = sys_pread(reader->fd, reader->buffer, sizeof(reader->buffer), reader->offset);

		if (bytes <= 0)
			return -1;
		reader->offset += bytes;
		reader->filled = bytes;
		reader->next = 0;
	}
	return (unsigned char)reader->buffer[reader->next++];
}

/* A hexadecimal number; *after is the character behind it, or -1 at the end of the file. */
static uintptr_t read_number(struct maps_reader *reader, int *after)
{
	uintptr_t number = 0;

	for (;;) {
		int c = next_character(reader);

		if (c >= '0' && c <= '9')
			number = number * 16 + (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number * 16 + (uintptr_t)(c - 'a' + 10);
		else {
			*after = c;
			return number;
		}
	}
}

/* "start-end perms offset major:minor inode path", as in proc_pid_maps(5). */
static int next_mapping(struct maps_reader *reader, struct mapping *mapping)
{
	int c;
	char sharing = 0;

	mapping->start = read_number(reader, &c);
	if (c < 0)
		return 0;
	mapping->end = read_number(reader, &c);
	for (int i = 0; i < 4; i++)
		sharing = (char)next_character(reader);
	next_character(reader);
	read_number(reader, &c); /* offset */
	read_number(reader, &c); /* major */
	read_number(reader, &c); /* minor */
	uintptr_t inode = read_number(reader, &c);

	while (c >= 0 && c != '\n')
		c = next_character(reader);
	mapping->is_private_memory = sharing == 'p' && inode == 0;
	return c >= 0;
}

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

static int is_own(const struct mapping *mapping, const void *own_stack)
{
	return holds(mapping, (uintptr_t)own_stack) || holds(mapping, shadow_stack_pointer()) ||
	       (mapping->start < own_end() && mapping->end > (uintptr_t)&own_header);
}

/*
 * MADV_DONTNEED rather than munmap: the size left can be watched, and several workers can do it at
 * once. It refuses locked, huge and device pages (EINVAL); munmap takes those. Should that fail too,
 * the exit that follows frees them.
 */
static void release_private(const struct mapping *mapping)
{
	for (uintptr_t at = mapping->start; at < mapping->end; at += CHUNK_BYTES) {
		uintptr_t left = mapping->end - at;
		uintptr_t bytes = left < CHUNK_BYTES ? left : CHUNK_BYTES;

		if (sys_madvise(at, bytes, MADV_DONTNEED) < 0) {
			sys_munmap(at, mapping->end - at);
			return;
		}
	}
}

/*
 * unshare(CLONE_VM) answers EINVAL while any other process has this address space, and otherwise
 * succeeds without doing anything (kernel/fork.c, current_is_single_threaded). Where a container's seccomp
 * filter forbids it we cannot know.
 */
int is_last_user(void)
{
	return sys_unshare(CLONE_VM) == 0;
}

void release_address_space(int maps, const void *own_stack)
{
	struct maps_reader first = {.fd = maps};
	struct maps_reader second = {.fd = maps};
	struct mapping mapping;

	/* The other user may be a child between vfork and exec, whose parent was killed: it still needs
	 * every page. The memory is then left to our own exit. */
	if (!is_last_user())
		return;
	/* Files and shared memory first: a lock, a busy mount or a page of a huge-page pool hangs off
	 * them, and somebody may be waiting for it. */
	while (next_mapping(&first, &mapping))
		if (!mapping.is_private_memory && !is_own(&mapping, own_stack))
			sys_munmap(mapping.start, mapping.end - mapping.start);
	while (next_mapping(&second, &mapping))
		if (mapping.is_private_memory && !is_own(&mapping, own_stack))
			release_private(&mapping);
}
