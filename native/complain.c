#include "complain.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void complain(const char *format, ...)
{
	const struct timespec no_time = {0, 0};
	sigset_t broken_pipe, pending, before;
	va_list arguments;

	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	sigpending(&pending);
	sigprocmask(SIG_BLOCK, &broken_pipe, &before);

	va_start(arguments, format);
	fputs("async-teardown: ", stderr);
	vfprintf(stderr, format, arguments);
	fputs("\n", stderr);
	va_end(arguments);

	if (!sigismember(&pending, SIGPIPE))
		sigtimedwait(&broken_pipe, NULL, &no_time);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
