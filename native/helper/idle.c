#include "idle.h"

#include "common/sys.h"

/*
 * SCHED_IDLE gives a worker each gap of some microseconds that a busy neighbour leaves, and the neighbour pays for the
 * switches and for cold caches. So a worker that has to wait for its CPU uses at most a part of the time; waiting counts.
 * It is the part of all workers together: neighbours that wait for each other lose what any of them loses.
 */
#define PARTS 32
#define TURN_NS 100000L
/* Two neighbours that wait for each other may both leave the CPU alone for a while. */
#define JUDGED_NS 10000000L
/* Whoever had to wait for long then runs until it is preempted: its next turn may be as far away. */
#define MOST_CREDIT_NS 100000000L

void idle_restart(struct idling *idling, int64_t now)
{
	idling->since = now;
	idling->cpu_since = sys_nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}

static void judge(struct idling *idling, int64_t used, int64_t waited)
{
	idling->used += used;
	idling->waited += waited;
	if (idling->used + idling->waited >= JUDGED_NS) {
		idling->cpu = idling->waited < idling->used / 2 ? FREE_CPU : WANTED_CPU;
		idling->used = idling->waited = 0;
	}
}

int64_t idle_pause(struct idling *idling, unsigned workers, int64_t took, int64_t used)
{
	int64_t pause;

	judge(idling, used, took - used);
	idling->debt += used * PARTS * workers - took;
	if (idling->debt < -MOST_CREDIT_NS)
		idling->debt = -MOST_CREDIT_NS;
	pause = idling->cpu == WANTED_CPU ? idling->debt : 0;
	if (pause > 0 || idling->cpu == FREE_CPU)
		idling->debt = 0;
	return pause;
}

int idle_give_way(struct idling *idling, unsigned workers, int64_t now)
{
	if (!idling->since) {
		idle_restart(idling, now);
		return 0;
	}
	int64_t took = now - idling->since;

	if (took < TURN_NS)
		return idling->cpu == FREE_CPU;
	int64_t cpu_now = sys_nanoseconds(CLOCK_THREAD_CPUTIME_ID);
	int64_t pause = idle_pause(idling, workers, took, cpu_now - idling->cpu_since);

	if (pause > 0) {
		sys_sleep_for((uint64_t)(pause / NANOSECONDS_PER_SECOND), (long)(pause % NANOSECONDS_PER_SECOND));
		now += pause; /* after that it waits for its CPU, which counts */
	}
	idling->since = now;
	idling->cpu_since = cpu_now;
	return idling->cpu == FREE_CPU;
}
