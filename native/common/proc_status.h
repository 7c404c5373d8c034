/* /proc/<pid>/status, as far as it is of use; proc_pid_status(5). */
#ifndef ASYNC_TEARDOWN_PROC_STATUS_H
#define ASYNC_TEARDOWN_PROC_STATUS_H

#include <stdint.h>

struct proc_status {
	char state;		  /* 'R', 'S', 'Z' and so on; 0 where the process is gone */
	int has_memory;		  /* 0 where it has let go of its address space */
	uint64_t bytes;		  /* resident, huge pages included */
	uint64_t anonymous_bytes; /* of them: no file's, and not in huge pages of a pool */
	uint64_t swapped_bytes;	  /* private ones that are not resident; they take as long to free */
};

/* With as many groups as anybody has. */
#define PROC_STATUS_BYTES 4096

/* Reads what an open status file says now, into `room` of PROC_STATUS_BYTES. */
struct proc_status proc_status_read(int fd, char *room);

#endif
