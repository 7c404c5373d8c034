/*
 * The variable by which a process knows that it is to be protected:
 *
 *   ASYNC_TEARDOWN=pid:0000001234/ns:4026531836/strict:1/workers:2/rate:1048576/priority:idle
 *
 * Fields in any order, each a name, a colon and a value, with slashes between. None of these characters
 * means anything to systemd, supervisord, Docker, cron, YAML or a shell. src/protect/preload-variables.ts writes it,
 * too.
 *
 *   pid       ten digits; all zero for "whoever comes first"
 *   ns        ten digits: the PID namespace, by the number in /proc/self/ns/pid, because a container inside the
 *             target may have a process with the same number; zero where it is not known
 *   strict    1: an image that cannot be protected must not run; 0 or absent: it runs, and says so
 *   forks     1: children by fork are protected as well, and theirs; 0 or absent: they are not
 *   workers, rate, priority   release options; absent where they are as usual
 *
 * The first image claims the value in place: it puts its number where the zeros are, and 0 behind "strict",
 * so that an image that it execs, perhaps after years of service, is never ended by us.
 */
#ifndef ASYNC_TEARDOWN_PROTECTION_H
#define ASYNC_TEARDOWN_PROTECTION_H

#include "release_options.h"
#include "text.h"

#define PROTECTION_VARIABLE "ASYNC_TEARDOWN"

struct protection {
	uint64_t pid;
	uint64_t namespace;
	int strict;
	int follow_forks;
	struct release_options options;

	/* Where they stand in the text that was read, or null. */
	char *pid_digits, *namespace_digits, *strict_digit;
	/* The first field that this version does not understand, or null; it ends at a slash or NUL. */
	const char *unknown;
};

/* Reads a value. Without a pid and a ns, which are 0 then, it names nobody. */
void protection_read(char *value, struct protection *protection);

/* Whether it is meant for this very process. */
int protection_names_us(const struct protection *protection);

/* Puts this process's name into the text that was read, and lets later images run in any case. */
void protection_claim(const struct protection *protection);

/* Appends the value. */
void protection_write(struct text *text, const struct protection *protection);

#endif
