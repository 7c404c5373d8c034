#include "hold.h"

#include "argv_record.h"
#include "common/record.h"
#include "common/daemonize.h"
#include "common/proc_status.h"
#include "common/sys.h"

/* About two weeks of looks, twenty in all (W6). Rules and waiting times by number: README.md. */
#define FIRST_LOOK_MS 1000
#define LAST_LOOK_MS (FIRST_LOOK_MS << 20)

/* How long it is tried to hold a target, which may be in the middle of an exec (W2). */
#define LONGEST_PARKING_MS 1000

int holder_sees_death(const struct holder *holder, int milliseconds)
{
	return sys_poll_one(holder->death, milliseconds) > 0;
}

/* Notes the target's size. Returns whether its main thread has ended; others may go on. */
static int look_at(struct holder *holder)
{
	char room[PROC_STATUS_BYTES];
	struct proc_status status = proc_status_read(holder->status, room);

	if (status.has_memory) {
		holder->bytes = status.bytes;
		holder->seen = milliseconds_since_boot();
	}
	return status.state == 0 || status.state == 'Z' || status.state == 'X';
}

static void let_go(struct holder *holder)
{
	if (holder->current)
		reader_let_go(&holder->readers, holder->current);
	holder->current = 0;
}

/* How often it is looked whether the target has died while an old image is torn down (W3). */
#define JOIN_STEP_MS 20

/* Waits for a reader that has nothing to hold. 0 if the target dies before. */
static int free_reader(struct holder *holder, struct reader *reader)
{
	/* It may be on its way to what the target had a while ago. */
	reader_let_go(&holder->readers, reader);
	while (!reader_join(reader, JOIN_STEP_MS))
		if (holder_sees_death(holder, 0))
			return 0;
	return 1;
}

void holder_take(struct holder *holder, int interrupted)
{
	struct reader *each = holder->readers.each;
	struct reader *next = holder->current == &each[0] ? &each[1] : &each[0];
	struct reader *other = next == &each[0] ? &each[1] : &each[0];
	enum parked parked = NOTHING;

	if (!free_reader(holder, next) || (!holder->current && !free_reader(holder, other)))
		return;
	for (int step = 1, waited = 0; waited < LONGEST_PARKING_MS; waited += step, step *= 2) {
		parked = reader_park(&holder->readers, next, step);
		if (parked == PARKED) { /* rule 1 */
			let_go(holder);
			holder->current = next;
			look_at(holder);
			return;
		}
		if (holder_sees_death(holder, 0))
			return;
		if (look_at(holder)) { /* rule 6 */
			if (interrupted)
				let_go(holder);
			return;
		}
		if (parked == NOTHING && holder_sees_death(holder, step))
			return;
	}
	/* Nothing could be read for W2. If the target has exec'd into an image that cannot be held, keeping the old one
	 * would leak its memory: let go. NOT_YET is the exception: the mappings are locked, no exec can have replaced
	 * them, and the old hold is still the right one (rule 7). */
	if (parked == NOTHING)
		let_go(holder);
}

/* Without an event that tells of an exec, the hold is taken anew once a second: a few microseconds (W4). */
#define STEP_MS 1000

/* Between two events: a target may rename itself without end (W5). */
#define LEAST_PAUSE_MS 100

/*
 * How long the next wait may last. What pagemap shows is the image of the start; the size of a later one is
 * looked at a second after its exec, then after two more, four, eight and so on.
 */
static int longest_wait(const struct holder *holder)
{
	int until_shared = shared_wait(&holder->shared);
	int until_look = holder->next_look ? holder->next_look : -1;

	if (holder->exec.fd < 0 || !holder->current)
		return STEP_MS;
	return until_shared >= 0 && (until_look < 0 || until_shared < until_look) ? until_shared : until_look;
}

/*
 * It wakes for these things:
 *
 *   - an exec, or a new name, of the target's main thread;
 *   - that thread's end. If the process is about to end as well, what is held must stay; if not, another
 *     thread may exec one day, which only the steps will find (rule 6).
 *   - a second fault of the reader that holds: a stop, a freezer or a live patch has interrupted it. It
 *     would try again without sleep for ever, because it cannot see to the interruption before it has
 *     returned from the read (kernel-mode faults end for fatal signals only; fault_signal_pending in
 *     include/linux/sched/signal.h). So the other reader takes over (rule 8).
 *   - another look at an image that came by exec;
 *   - a look at which shared memory objects the target still maps.
 */
void holder_keep(struct holder *holder)
{
	for (;;) {
		struct pollfd watched[] = {{.fd = holder->death, .events = POLLIN, .revents = 0},
					   {.fd = holder->exec.fd, .events = POLLIN, .revents = 0},
					   {.fd = holder->readers.faults, .events = POLLIN, .revents = 0}};
		int told = holder->exec.fd >= 0 && holder->current;
		long events = sys_poll(watched, 3, longest_wait(holder));

		if (watched[0].revents) /* rule 5 */
			return;
		if (watched[1].revents & POLLIN) {
			exec_event_consume(&holder->exec);
			holder->next_look = FIRST_LOOK_MS;
			shared_look_soon(&holder->shared);
		}
		if (watched[1].revents & (POLLHUP | POLLERR))
			exec_event_close(&holder->exec);
		if ((watched[1].revents & POLLIN) || watched[2].revents || !told)
			holder_take(holder, watched[2].revents != 0);
		shared_look(&holder->shared);
		if (events == 0 && told) {
			look_at(holder);
			holder->next_look = holder->next_look < LAST_LOOK_MS ? 2 * holder->next_look : 0;
			continue;
		}
		argv_record_show_state(holder);
		if (holder_sees_death(holder, LEAST_PAUSE_MS))
			return;
	}
}

/* A parent that is slow to reap puts the release off by 2 + 4 + 8 + 16 + 32 ms at most (W7). */
#define LONGEST_GRACE_MS 64

/*
 * Until its parent has reaped it, a dead target still has a status. Where many targets die at once, on few
 * CPUs, the first teardowns would otherwise run before the last parent does: a kernel without preemption does
 * not interrupt them for it.
 */
static void let_parent_reap(const struct holder *holder)
{
	char byte;

	let_parent_run();
	for (long step = 2; step < LONGEST_GRACE_MS && sys_pread(holder->status, &byte, 1, 0) == 1; step *= 2)
		sys_sleep(step * NANOSECONDS_PER_MILLISECOND);
}

void holder_release(struct holder *holder)
{
	let_parent_reap(holder);
	argv_record_show_releasing(holder);
	for (int i = 0; i < 2; i++)
		reader_let_go(&holder->readers, &holder->readers.each[i]);
	for (int i = 0; i < 2; i++)
		while (!reader_join(&holder->readers.each[i], JOIN_STEP_MS))
			;
	shared_let_go(&holder->shared);
	sys_exit_group(0);
}
