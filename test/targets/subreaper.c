/*
 * Executes a command as a subreaper: every orphan among its descendants, our helper too, becomes its child. One
 * that is a subreaper already executes it as none.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int is_one = 0;

	if (argc < 2 || prctl(PR_GET_CHILD_SUBREAPER, &is_one) < 0 || prctl(PR_SET_CHILD_SUBREAPER, !is_one) < 0)
		return 99;
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 99;
}
