/*
 * Runs a command, waits until it and every orphan that it leaves have ended, and prints of each orphan how:
 *
 *   reaper [-q] COMMAND [ARG...]      1 orphan: exit 0
 *
 * With -q it prints nothing: an init that reaps at once, where that of the machine may do so now and then.
 * Exits as the command did.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status, code = 99, orphans = 0;
	char ends[256];
	size_t length = 0;
	pid_t command, ended;
	int is_quiet = argc > 1 && !strcmp(argv[1], "-q");

	argv += is_quiet;
	if (argc < 2 + is_quiet || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return 99;
	if ((command = fork()) == 0) {
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(99);
	}
	while ((ended = waitpid(-1, &status, __WALL)) > 0) {
		int is_signal = WIFSIGNALED(status);
		int value = is_signal ? WTERMSIG(status) : WEXITSTATUS(status);

		if (ended == command) {
			code = is_signal ? 128 + value : value;
			continue;
		}
		orphans++;
		if (length < sizeof(ends))
			length += (size_t)snprintf(ends + length, sizeof(ends) - length, " %s %d",
						   is_signal ? "signal" : "exit", value);
	}
	if (!is_quiet)
		printf("%d orphan%s:%s\n", orphans, orphans == 1 ? "" : "s", orphans ? ends : "");
	return code;
}
