/* The values of variables that a protected program starts with, beside ASYNC_TEARDOWN. */
#ifndef ASYNC_TEARDOWN_VARIABLES_H
#define ASYNC_TEARDOWN_VARIABLES_H

#include <stddef.h>

/* Each writes a value with its NUL, and returns the bytes of it; with `to` null it only counts them. */

/* LD_PRELOAD: what is inherited (or null) stays in front, because a sanitizer's runtime has to be the first; ours
 * comes behind, once. */
size_t preload_value(char *to, const char *inherited, const char *library);

/* ASAN_OPTIONS: what is inherited (or null), and that a library in front of AddressSanitizer's runtime is no reason
 * to give up. Ours calls nothing that the runtime intercepts. */
size_t asan_options_value(char *to, const char *inherited);

#endif
