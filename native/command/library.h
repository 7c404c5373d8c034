/* Whether a program will be able to load the library of this package. */
#ifndef ASYNC_TEARDOWN_LIBRARY_H
#define ASYNC_TEARDOWN_LIBRARY_H

#include "find.h"

/* Refuses by ERR_NOT_BUILT, ERR_INSTALL_PATH or ERR_LIBRARY. 0, or -1. */
int library_check(const char *library, const struct surroundings *surroundings, struct refusal *refusal);

#endif
