/* How help looks. */
#ifndef ASYNC_TEARDOWN_HELP_H
#define ASYNC_TEARDOWN_HELP_H

#include "command/refusal.h"

/* Appends a term and what is said about it, in two columns. */
void help_add_item(struct message *help, const char *term, const char *about);

/* Writes all of it to standard output. 0 also where nobody reads it any more; or a negative errno. */
long help_print(const struct message *help);

#endif
