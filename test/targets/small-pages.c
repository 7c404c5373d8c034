/*
 * Becomes COMMAND with transparent huge pages forbidden, also those that it asks for: its memory is in small
 * pages, whose teardown takes its time.
 *
 *   small-pages COMMAND [ARG...]
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2 || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0) {
		perror("small-pages");
		return 99;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 99;
}
