/* Where the files of this package are. */
#ifndef ASYNC_TEARDOWN_PACKAGE_H
#define ASYNC_TEARDOWN_PACKAGE_H

#include "common/sys_files.h"
#include "start.h"

/* The folder of the launcher, <package>/build/<architecture>, also without /proc. 0, or -1. */
int package_find(const struct start *start, char folder[LONGEST_PATH]);

/* The folder that is so many levels above it, with a path behind. 0, or -1 where that is too long. */
int package_path(char path[LONGEST_PATH], const char *folder, int levels, const char *behind);

#endif
