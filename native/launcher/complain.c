#include "complain.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void complain(const char *format, ...)
{
	const struct timespec no_time = {0, 0};
	sigset_t broken_pipe, pending, before;
	va_list arguments;
	char text[8192];

	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	sigpending(&pending);
	sigprocmask(SIG_BLOCK, &broken_pipe, &before);

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	dprintf(STDERR_FILENO, "async-teardown: %s\n", text); /* in one write; what fails, fails */

	if (!sigismember(&pending, SIGPIPE))
		sigtimedwait(&broken_pipe, NULL, &no_time);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
