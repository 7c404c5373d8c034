/* The last step of `run`. */
#ifndef ASYNC_TEARDOWN_EXECUTE_H
#define ASYNC_TEARDOWN_EXECUTE_H

/* Becomes the command. Returns only when it cannot, with the exit code for it, and has said so. */
int execute(const char *file, char **arguments, char **environment);

#endif
