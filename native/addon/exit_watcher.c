#include "exit_watcher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Every id that JavaScript gives is larger. */
#define STOP 0

#define STACK_BYTES ((size_t)128 << 10)

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/*
 * One thread waits for all exits at once: libuv has no way to wait for a pidfd, and its pool of four threads
 * is not ours to block. Processes are added from JavaScript's thread while this one sleeps.
 */
struct exit_watcher {
	int epoll;
	int stop;
	pthread_t thread;
	napi_threadsafe_function tell;
};

static void *watch(void *argument)
{
	const struct exit_watcher *watcher = argument;

	for (;;) {
		struct epoll_event event;
		int count = epoll_wait(watcher->epoll, &event, 1, -1);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 || event.data.u64 == STOP)
			return NULL;
		/* Does not block: the queue has no limit. It closes before its time only with Node.js itself. */
		if (napi_call_threadsafe_function(watcher->tell, (void *)(uintptr_t)event.data.u64,
						  napi_tsfn_nonblocking) != napi_ok)
			return NULL;
	}
}

/* On JavaScript's thread: callback(id). */
static void tell(napi_env env, napi_value callback, void *context, void *id)
{
	napi_value undefined, number;

	(void)context;
	if (env == NULL || napi_get_undefined(env, &undefined) != napi_ok ||
	    napi_create_int64(env, (int64_t)(uintptr_t)id, &number) != napi_ok)
		return;
	napi_call_function(env, undefined, callback, 1, &number, NULL);
}

/* Before Node.js frees what `tell` stands for, the thread must be gone that uses it. */
static void stop(void *argument)
{
	struct exit_watcher *watcher = argument;
	const uint64_t one = 1;

	if (write(watcher->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(watcher->thread, NULL);
	close(watcher->epoll);
	close(watcher->stop);
	free(watcher);
}

/* A thread that no signal of the process is delivered to. 0 or an errno. */
static int start_thread(struct exit_watcher *watcher)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int error;

	if ((error = pthread_attr_init(&attributes)) != 0)
		return error;
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&watcher->thread, &attributes, watch, watcher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

/* 0 or an errno. */
static int open_descriptors(struct exit_watcher *watcher)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = STOP};

	watcher->epoll = epoll_create1(EPOLL_CLOEXEC);
	watcher->stop = eventfd(0, EFD_CLOEXEC);
	if (watcher->epoll < 0 || watcher->stop < 0 ||
	    epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watcher->stop, &event) < 0)
		return errno;
	return 0;
}

/* 0 or an errno. */
static int start_waiting(napi_env env, napi_value callback, struct exit_watcher *watcher)
{
	napi_value name;
	int error = open_descriptors(watcher);

	if (error != 0)
		return error;
	if (napi_create_string_utf8(env, "async-teardown", NAPI_AUTO_LENGTH, &name) != napi_ok ||
	    napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, tell, &watcher->tell) !=
		    napi_ok)
		return ENOMEM;
	napi_unref_threadsafe_function(env, watcher->tell);
	if ((error = start_thread(watcher)) != 0)
		napi_release_threadsafe_function(watcher->tell, napi_tsfn_abort);
	return error;
}

int exit_watcher_start(napi_env env, napi_value callback, struct exit_watcher **started)
{
	struct exit_watcher *watcher = calloc(1, sizeof(*watcher));
	int error;

	if (watcher == NULL)
		return ENOMEM;
	watcher->epoll = watcher->stop = -1;
	if ((error = start_waiting(env, callback, watcher)) != 0) {
		if (watcher->epoll >= 0)
			close(watcher->epoll);
		if (watcher->stop >= 0)
			close(watcher->stop);
		free(watcher);
		return error;
	}
	/* Hooks run in the reverse order of their making: this one before that of the thread-safe function. */
	napi_add_env_cleanup_hook(env, stop, watcher);
	*started = watcher;
	return 0;
}

int exit_watcher_add(const struct exit_watcher *watcher, int pid, uint64_t id)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = id};
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return -errno;
	if (epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, pidfd, &event) < 0) {
		int error = errno;

		close(pidfd);
		return -error;
	}
	return pidfd;
}

void exit_watcher_remove(int pidfd)
{
	close(pidfd); /* the number is free again whatever it answers; close(2) */
}
