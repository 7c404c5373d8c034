/* What QEMU's own command line says of its -async-teardown, which our protection takes the place of. */
#ifndef ASYNC_TEARDOWN_QEMU_H
#define ASYNC_TEARDOWN_QEMU_H

struct qemu_options {
	int on;		  /* -async-teardown, or -run-with async-teardown=on */
	int off;	  /* -run-with async-teardown=off, and nowhere on */
	int daemonize;	  /* the process that stays is a child of the one that starts */
	int only_answers; /* -version, -machine none and the like: it runs no machine */
};

/* Whether a program is called as a QEMU is. */
int qemu_is(const char *file);

/* Reads a QEMU's command. */
struct qemu_options qemu_read(char **command);

/* A file of -readconfig that sets it, of which QEMU takes no notice; or null. */
const char *qemu_unheeded_file(char **command);

/* Takes those of teardown off a QEMU's command, in place. 0, or -1 where no memory can be had. */
int qemu_take_off(char **command);

#endif
