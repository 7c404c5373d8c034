/* /proc/<pid>/status, as far as it is of use; proc_pid_status(5). */
#ifndef ASYNC_TEARDOWN_STATUS_H
#define ASYNC_TEARDOWN_STATUS_H

#include <stdint.h>

struct status {
	char state;	/* 'R', 'S', 'Z' and so on; 0 where the process is gone */
	int has_memory; /* 0 where it has let go of its address space */
	uint64_t bytes; /* resident, huge pages included */
};

/* Reads what an open status file says now. */
struct status read_status(int fd);

#endif
