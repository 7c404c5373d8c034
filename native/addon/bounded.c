#define _GNU_SOURCE /* O_PATH */
#include "bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)128 << 10)

#define NANOSECONDS_PER_MILLISECOND 1000000L

/* So many calls may be left waiting; each is a thread and a buffer. */
#define MOST_LEFT 32

/* Shared by the caller and the thread; whoever is the last to leave frees it. */
struct call {
	enum { READ, OPEN_PATH, COMPARE } kind;
	int fd; /* to read, or the directory; or -1 */
	int pid, other;
	uint32_t is_done; /* a futex: condition variables differ between the libcs that may be there */
	int is_left;
	long result;
	size_t bytes;
	char buffer[];
};

/* Of all calls. Nothing is done under it that could wait. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int left;

static void free_call(struct call *call)
{
	if (call->fd >= 0)
		close(call->fd);
	free(call);
}

static long system_call(struct call *call)
{
	switch (call->kind) {
	case READ:
		return read(call->fd, call->buffer, call->bytes);
	case OPEN_PATH:
		return openat(call->fd, call->buffer, O_PATH | O_CLOEXEC);
	default:
		return syscall(SYS_kcmp, call->pid, call->other, KCMP_VM, 0, 0);
	}
}

static void *make_call(void *argument)
{
	struct call *call = argument;
	long result = system_call(call);
	int is_left;

	if (result < 0)
		result = -errno;
	pthread_mutex_lock(&lock);
	call->result = result;
	is_left = call->is_left;
	left -= is_left;
	__atomic_store_n(&call->is_done, 1, __ATOMIC_RELEASE);
	/* Under the lock: the caller frees it only after it has had that. */
	if (!is_left)
		syscall(SYS_futex, &call->is_done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	if (is_left) {
		if (call->kind == OPEN_PATH && result >= 0)
			close((int)result); /* nobody waits for it any more */
		free_call(call);
	}
	return NULL;
}

/* A thread that no signal of the process is delivered to. 0 or an errno. */
static int start_thread(struct call *call)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return error;
	sigfillset(&all);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, make_call, call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

static long milliseconds_now(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / NANOSECONDS_PER_MILLISECOND;
}

/* Waits for the call, at most so long. Returns whether it is the caller's to free. */
static int await_call(struct call *call, int milliseconds)
{
	long rest, until = milliseconds_now() + milliseconds;
	int is_done;

	while (!__atomic_load_n(&call->is_done, __ATOMIC_ACQUIRE) && (rest = until - milliseconds_now()) > 0) {
		struct timespec limit = {.tv_sec = rest / 1000, .tv_nsec = rest % 1000 * NANOSECONDS_PER_MILLISECOND};

		syscall(SYS_futex, &call->is_done, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0);
	}
	pthread_mutex_lock(&lock);
	is_done = (int)call->is_done;
	call->is_left = !is_done;
	left += !is_done;
	pthread_mutex_unlock(&lock);
	return is_done;
}

static int are_too_many_left(void)
{
	int are;

	pthread_mutex_lock(&lock);
	are = left >= MOST_LEFT;
	pthread_mutex_unlock(&lock);
	return are;
}

static struct call *new_call(int kind, size_t bytes)
{
	struct call *call = calloc(1, sizeof(*call) + bytes);

	if (call == NULL)
		return NULL;
	call->kind = kind;
	call->fd = -1;
	call->bytes = bytes;
	return call;
}

/* Makes the call, and frees it. */
static long within(struct call *call, void *buffer, int milliseconds)
{
	int error = start_thread(call);
	long result;

	if (error != 0) {
		free_call(call);
		return -error;
	}
	if (!await_call(call, milliseconds))
		return -ETIMEDOUT;
	result = call->result;
	if (buffer != NULL && result > 0)
		memcpy(buffer, call->buffer, (size_t)result);
	free_call(call);
	return result;
}

/* A call on a descriptor; NULL, and *error negative, where it cannot be made. */
static struct call *new_call_on(int fd, int kind, size_t bytes, long *error)
{
	struct call *call;
	int own;

	*error = -ETIMEDOUT;
	if (are_too_many_left())
		return NULL;
	/* The caller may close its own, and the number be another file's, before the thread begins. */
	if ((own = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		*error = -errno;
		return NULL;
	}
	if ((call = new_call(kind, bytes)) == NULL) {
		*error = -ENOMEM;
		close(own);
		return NULL;
	}
	call->fd = own;
	return call;
}

long bounded_read(int fd, void *buffer, size_t bytes, int milliseconds)
{
	long error;
	struct call *call = new_call_on(fd, READ, bytes, &error);

	return call == NULL ? error : within(call, buffer, milliseconds);
}

long bounded_open_path(int directory, const char *path, size_t bytes, int milliseconds)
{
	long error;
	struct call *call = new_call_on(directory, OPEN_PATH, bytes, &error);

	if (call == NULL)
		return error;
	memcpy(call->buffer, path, bytes);
	return within(call, NULL, milliseconds);
}

long bounded_compare(int pid, int other, int milliseconds)
{
	struct call *call;

	if (are_too_many_left())
		return -ETIMEDOUT;
	if ((call = new_call(COMPARE, 0)) == NULL)
		return -ENOMEM;
	call->pid = pid;
	call->other = other;
	return within(call, NULL, milliseconds);
}
