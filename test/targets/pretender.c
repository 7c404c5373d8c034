/*
 * Calls itself by the name in its first argument, as helpers do. With a second one, it also does what helpers
 * have done: it blocks every signal, and is a child that has not exec'd. Anybody can.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int count, char **words)
{
	sigset_t all;

	if (count < 2 || prctl(PR_SET_NAME, words[1]) < 0)
		return 1;
	sigfillset(&all);
	if (count > 2 && sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return 1;
	/* As a child that has not exec'd, which helpers are as well. */
	if (count > 2 && fork() > 0) {
		sleep(1000);
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* no test leaves it behind */
	printf("ready\n");
	fflush(stdout);
	sleep(1000);
	return 0;
}
