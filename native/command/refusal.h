/* Why a command is not started, or not protected. */
#ifndef ASYNC_TEARDOWN_REFUSAL_H
#define ASYNC_TEARDOWN_REFUSAL_H

#include <stddef.h>

/* The codes of src/errors.ts by the same names, as far as a command can meet them. */
enum refusal_code {
	NOT_REFUSED,
	ERR_USAGE,
	ERR_NOT_BUILT,
	ERR_INSTALL_PATH,
	ERR_NOT_FOUND,
	ERR_NOT_EXECUTABLE,
	ERR_UNREADABLE,
	ERR_STATIC,
	ERR_SET_ID,
	ERR_FILE_CAPABILITIES,
	ERR_ARCHITECTURE,
	ERR_LIBRARY,
	ERR_INSTRUMENTED,
	ERR_HOLDER,
};

/* A text of any length, cut where the room ends, with a NUL behind it. */
struct message {
	char text[5 * 1024]; /* a path, and words around it */
	size_t length;
};

struct refusal {
	enum refusal_code code;
	const char *advice;	/* what to do about it; null where the message says it all */
	struct message message; /* the reason, as a sentence */
};

const char *refusal_code_name(enum refusal_code code);

/* What the command line tool ends with: 125, 126 or 127, as env(1). */
int refusal_exit_code(enum refusal_code code);

void message_add(struct message *message, const char *text);

/* Adds a word of the caller's. A very long one is cut, so that what is said of it has room. */
void message_add_name(struct message *message, const char *name);
void message_add_number(struct message *message, unsigned long number);

/* Refuses, with a text, a name, and a text behind it as the message. Returns -1. */
int refuse_with(struct refusal *refusal, enum refusal_code code, const char *before, const char *name,
		const char *behind);

/* The same, with "'subject'", and what follows it. */
int refuse(struct refusal *refusal, enum refusal_code code, const char *subject, const char *why);

/* The same for what only a helper cannot protect; --best-effort is the advice. */
int refuse_helper(struct refusal *refusal, enum refusal_code code, const char *subject, const char *why);

#endif
