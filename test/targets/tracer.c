/*
 * Traces a command as a debugger does that follows all of its children, and prints how many it was told of:
 *
 *   tracer COMMAND [ARG...]
 */
#include <stdio.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLLOW (PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)

int main(int argc, char **argv)
{
	int status, followed = 0;
	pid_t child, changed;

	if (argc < 2)
		return 99;
	if ((child = fork()) == 0) {
		raise(SIGSTOP);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(99);
	}
	if (waitpid(child, &status, WUNTRACED) != child || ptrace(PTRACE_SEIZE, child, 0, FOLLOW) < 0) {
		perror("tracer");
		return 99;
	}
	kill(child, SIGCONT);
	while ((changed = waitpid(-1, &status, __WALL)) > 0) {
		int event = WIFSTOPPED(status) ? status >> 16 : 0;

		if (changed == child && !WIFSTOPPED(status))
			break;
		if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK)
			followed++;
		if (WIFSTOPPED(status))
			ptrace(PTRACE_CONT, changed, 0, event ? 0 : WSTOPSIG(status));
	}
	printf("children followed: %d\n", followed);
	return WEXITSTATUS(status);
}
