/* What helpers and holders tell of a release, to those who watch from outside; src/linux/protector-record.ts reads it. */
#ifndef ASYNC_TEARDOWN_RECORD_H
#define ASYNC_TEARDOWN_RECORD_H

#include <stdint.h>

#include "text.h"
#include "release_options.h"

uint64_t milliseconds_since_boot(void);

/*
 * "releasing bytes=… seen=… died=…": how much was resident, when that was looked at, when the target died. What is
 * written are milliseconds since `started`, which is when this process was cloned: the reader may be in another time
 * namespace, whose clock it adds that to (the start time of /proc/<pid>/stat; time_namespaces(7)).
 */
void record_add_release(struct text *line, uint64_t started, uint64_t bytes, uint64_t seen, uint64_t died);

/* " rate=… priority=low|idle workers=", each but the last only where it is not the default; the number of workers
 * is to follow. */
void record_add_options(struct text *line, const struct release_options *options);

#endif
