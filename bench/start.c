/*
 * From fork to the end of /bin/true: plain, and by `run` of a launcher, in turns.
 *
 *   start ROUNDS LAUNCHER      {"plain": 0.91, "run": 1.76, "cost": 0.84}
 *
 * In milliseconds: the medians of both, and of the differences.
 */
#define _GNU_SOURCE
#include "measure.h"

#define MOST_ROUNDS 10000

/* Between two starts, so that a helper's end is not in the next one's time. */
#define PAUSE_US 3000

static double milliseconds(char **command)
{
	int status;
	double start = now();
	pid_t pid = vfork();

	if (pid == 0) {
		execv(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die(command[0]);
	double took = now() - start;

	usleep(PAUSE_US);
	return took * 1000;
}

static int by_size(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

int main(int argc, char **argv)
{
	static double plain[MOST_ROUNDS], run[MOST_ROUNDS], cost[MOST_ROUNDS];
	size_t rounds = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	char program[] = "/bin/true";
	char *command[] = {program, NULL};
	char *protected[] = {argv[argc - 1], "run", "--mechanism", "helper", "--", program, NULL};

	if (rounds < 1 || rounds > MOST_ROUNDS) {
		fputs("usage: start ROUNDS LAUNCHER\n", stderr);
		return 125;
	}
	for (size_t i = 0; i < rounds; i++) {
		plain[i] = milliseconds(command);
		run[i] = milliseconds(protected);
		cost[i] = run[i] - plain[i];
	}
	printf("{\"plain\": %.3f, \"run\": %.3f, \"cost\": %.3f}\n", median(plain, rounds), median(run, rounds),
	       median(cost, rounds));
	return 0;
}
