/* How a holder hears that its target has a new image. */
#ifndef ASYNC_TEARDOWN_EXEC_EVENT_H
#define ASYNC_TEARDOWN_EXEC_EVENT_H

struct perf_event_mmap_page;

struct exec_event {
	int fd; /* readable once the target's main thread has exec'd; -1 where the kernel does not tell */
	struct perf_event_mmap_page *ring;
};

/* The perf event alone: its descriptor or a negative errno. */
long exec_event_new(int pid);

/* Asks to hear of it. Needs what perf_event_open(2) needs. Also wakes when that thread is renamed. */
void exec_event_open(struct exec_event *event, int pid);

/* Makes it unreadable, until the next exec. */
void exec_event_consume(struct exec_event *event);

/* To be called when poll(2) says that nothing more will come (POLLHUP). */
void exec_event_close(struct exec_event *event);

#endif
