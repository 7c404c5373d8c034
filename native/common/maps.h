/* The mappings of an address space, as /proc/<pid>/maps tells of them; proc_pid_maps(5). */
#ifndef ASYNC_TEARDOWN_MAPS_H
#define ASYNC_TEARDOWN_MAPS_H

#include <stdint.h>

struct mapping {
	uintptr_t start;
	uintptr_t end;
	int is_private_memory; /* anonymous and private: nobody else's file, lock or page */
	int is_written_back;   /* shared and writable: what was written may still be on its way to the file */
	uint64_t device;       /* of the file, as stat(2) has it in st_dev; 0 where there is none */
	uint64_t inode;	       /* its number, or 0 */
};

/* The file, read as a stream: a path in it may be longer than any buffer of ours. */
struct maps_reader {
	int fd;
	long offset;
	long filled;
	long next;
	char buffer[2048];
};

static inline uintptr_t mapping_bytes(const struct mapping *mapping)
{
	return mapping->end - mapping->start;
}

/* Begins at the first mapping. */
void maps_start(struct maps_reader *reader, int fd);

/* The next mapping. 0 where there is none. */
int maps_next(struct maps_reader *reader, struct mapping *mapping);

#endif
