/* Entry for Node.js: what JavaScript has no call for. Every decision is made there; see src/linux/native.ts. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <node_api.h>

#include "bounded.h"
#include "command.h"
#include "common/confine.h"
#include "common/record.h"
#include "exit_watcher.h"
#include "helper/helper.h"
#include "probe.h"
#include "common/sys.h"

static napi_value make_number(napi_env env, int number)
{
	napi_value value = NULL;

	napi_create_int32(env, number, &value);
	return value;
}

/* Whether the preloaded library, if it is there, has made a helper that lives. */
static int preloaded_helper_lives(void)
{
	int (*ask)(void);

	*(void **)&ask = dlsym(RTLD_DEFAULT, "async_teardown_helper_lives");
	return ask != NULL && ask();
}

/* Starts a helper where none lives. Two threads that ask at once, Node.js's main thread and a worker, get one. */
static int protect_once(const struct release_options *options, struct failure *failure)
{
	static uint32_t lock;
	int result = 0;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		sys_sleep(100000);
	if (!preloaded_helper_lives() && !helper_lives())
		result = helper_start(options, failure);
	store(&lock, 0);
	return result;
}

/* protectSelf(workers, rate, priority): null when a helper is armed, otherwise why not, as "could not …". The numbers are
 * those of struct release_options. */
static napi_value protect_self(napi_env env, napi_callback_info info)
{
	struct failure failure = {0};
	struct text reason = {.length = 0};
	struct release_options options;
	napi_value arguments[3], result;
	size_t count = 3;
	uint32_t priority;
	int64_t rate;

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3 ||
	    napi_get_value_uint32(env, arguments[0], &options.workers) != napi_ok ||
	    napi_get_value_int64(env, arguments[1], &rate) != napi_ok ||
	    napi_get_value_uint32(env, arguments[2], &priority) != napi_ok) {
		napi_throw_type_error(env, NULL, "protectSelf takes three numbers");
		return NULL;
	}
	options.rate = (uint64_t)rate;
	options.priority = (enum priority)priority;
	if (protect_once(&options, &failure) == 0) {
		napi_get_null(env, &result);
		return result;
	}
	text_add_failure(&reason, &failure);
	if (napi_create_string_utf8(env, reason.text, reason.length, &result) != napi_ok)
		return NULL; /* the exception is pending */
	return result;
}

/* So many numbers, or an exception. */
static int get_integers(napi_env env, napi_callback_info info, int32_t *numbers, size_t wanted)
{
	napi_value arguments[3];
	size_t count = 3;

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == wanted) {
		size_t i = 0;

		while (i < wanted && napi_get_value_int32(env, arguments[i], &numbers[i]) == napi_ok)
			i++;
		if (i == wanted)
			return 0;
	}
	napi_throw_type_error(env, NULL, "takes two numbers, or three");
	return -1;
}

static int get_numbers(napi_env env, napi_callback_info info, int32_t numbers[2])
{
	return get_integers(env, info, numbers, 2);
}

/* compareAddressSpaces(pid, pid, milliseconds): 0 where it is the same, 1 to 3 where not, otherwise a negative errno. */
static napi_value compare_address_spaces(napi_env env, napi_callback_info info)
{
	int32_t numbers[3];

	if (get_integers(env, info, numbers, 3) < 0)
		return NULL;
	return make_number(env, (int)bounded_compare(numbers[0], numbers[1], numbers[2]));
}

struct bounded_arguments {
	int32_t fd, milliseconds;
	void *buffer;
	size_t bytes;
};

static int get_bounded(napi_env env, napi_callback_info info, struct bounded_arguments *given)
{
	napi_value arguments[3];
	size_t count = 3;

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == 3 &&
	    napi_get_value_int32(env, arguments[0], &given->fd) == napi_ok &&
	    napi_get_buffer_info(env, arguments[1], &given->buffer, &given->bytes) == napi_ok &&
	    napi_get_value_int32(env, arguments[2], &given->milliseconds) == napi_ok)
		return 0;
	napi_throw_type_error(env, NULL, "takes a descriptor, a Buffer and a number");
	return -1;
}

/* readWithin(descriptor, buffer, milliseconds): how many bytes, or a negative errno. */
static napi_value read_within(napi_env env, napi_callback_info info)
{
	struct bounded_arguments given = {0};

	if (get_bounded(env, info, &given) < 0)
		return NULL;
	return make_number(env, (int)bounded_read(given.fd, given.buffer, given.bytes, given.milliseconds));
}

/* openPathWithin(directory, path with its NUL, milliseconds): a descriptor, or a negative errno. */
static napi_value open_path_within(napi_env env, napi_callback_info info)
{
	struct bounded_arguments given = {0};

	if (get_bounded(env, info, &given) < 0)
		return NULL;
	return make_number(env, (int)bounded_open_path(given.fd, given.buffer, given.bytes, given.milliseconds));
}

/* createMemoryFile(): a descriptor of an empty file in memory, or a negative errno. */
static napi_value create_memory_file(napi_env env, napi_callback_info info)
{
	(void)info;
	return make_number(env, (int)sys_memfd_create("async-teardown"));
}

/* millisecondsSinceBoot(): by the clock that /proc/<pid>/stat has its start times from. */
static napi_value boot_time(napi_env env, napi_callback_info info)
{
	napi_value value = NULL;

	(void)info;
	napi_create_int64(env, (int64_t)milliseconds_since_boot(), &value);
	return value;
}

/* lockFile(descriptor): whether nobody else has it locked, so that it is ours until that is closed; flock(2). */
static napi_value lock_file(napi_env env, napi_callback_info info)
{
	napi_value argument, result = NULL;
	size_t count = 1;
	int32_t fd;

	if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count != 1 ||
	    napi_get_value_int32(env, argument, &fd) != napi_ok) {
		napi_throw_type_error(env, NULL, "lockFile takes a number");
		return NULL;
	}
	napi_get_boolean(env, sys_call2(__NR_flock, fd, LOCK_EX | LOCK_NB) == 0, &result);
	return result;
}

/* signalProcess(descriptor of /proc/<pid>, signal): 0 or a positive errno. */
static napi_value signal_process(napi_env env, napi_callback_info info)
{
	int32_t numbers[2];

	if (get_numbers(env, info, numbers) < 0)
		return NULL;
	return make_number(env, -(int)sys_call4(__NR_pidfd_send_signal, numbers[0], numbers[1], 0, 0));
}

/* startExitWatcher(callback(id)): 0 or an errno. Once for each environment: Node.js's main thread, and each worker. */
static napi_value start_exit_watcher(napi_env env, napi_callback_info info)
{
	napi_value callback;
	size_t count = 1;
	struct exit_watcher *watcher = NULL;
	int error;

	if (napi_get_cb_info(env, info, &count, &callback, NULL, NULL) != napi_ok || count != 1) {
		napi_throw_type_error(env, NULL, "startExitWatcher takes a function");
		return NULL;
	}
	if ((error = exit_watcher_start(env, callback, &watcher)) == 0)
		napi_set_instance_data(env, watcher, NULL, NULL);
	return make_number(env, error);
}

/* watchExit(pid, id): a pidfd or a negative errno. */
static napi_value watch_exit(napi_env env, napi_callback_info info)
{
	int32_t numbers[2];
	void *watcher = NULL;

	if (get_numbers(env, info, numbers) < 0)
		return NULL;
	if (napi_get_instance_data(env, &watcher) != napi_ok || watcher == NULL) {
		napi_throw_error(env, NULL, "startExitWatcher comes first");
		return NULL;
	}
	return make_number(env, exit_watcher_add(watcher, numbers[0], (uint64_t)numbers[1]));
}

/* unwatchExit(pidfd): not closed by Node.js, which in a worker warns of descriptors that it did not open. */
static napi_value unwatch_exit(napi_env env, napi_callback_info info)
{
	napi_value argument;
	size_t count = 1;
	int32_t pidfd;

	if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count != 1 ||
	    napi_get_value_int32(env, argument, &pidfd) != napi_ok)
		napi_throw_type_error(env, NULL, "unwatchExit takes a number");
	else
		exit_watcher_remove(pidfd);
	return NULL;
}

/* forbidCoreDumps(): the limit that this process has now, 0 or 1 bytes, or a negative errno. */
static napi_value forbid_own_core_dumps(napi_env env, napi_callback_info info)
{
	(void)info;
	return make_number(env, (int)forbid_core_dumps());
}

/* probeSystemCalls(): { name: 0 where the call works, otherwise a positive errno }. */
static napi_value probe_system_calls(napi_env env, napi_callback_info info)
{
	napi_value result;

	(void)info;
	if (napi_create_object(env, &result) != napi_ok)
		return NULL;
	for (const struct probe *probe = probes; probe < probes + PROBE_COUNT; probe++)
		if (napi_set_named_property(env, result, probe->name, make_number(env, -(int)probe->attempt())) !=
		    napi_ok)
			return NULL; /* the exception is pending */
	return result;
}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor functions[] = {
		{"protectSelf", NULL, protect_self, NULL, NULL, NULL, napi_enumerable, NULL},
		{"examineCommand", NULL, examine_command, NULL, NULL, NULL, napi_enumerable, NULL},
		{"checkLibrary", NULL, check_library, NULL, NULL, NULL, napi_enumerable, NULL},
		{"preloadList", NULL, preload_list, NULL, NULL, NULL, napi_enumerable, NULL},
		{"asanOptions", NULL, asan_options, NULL, NULL, NULL, napi_enumerable, NULL},
		{"compareAddressSpaces", NULL, compare_address_spaces, NULL, NULL, NULL, napi_enumerable, NULL},
		{"openPathWithin", NULL, open_path_within, NULL, NULL, NULL, napi_enumerable, NULL},
		{"readWithin", NULL, read_within, NULL, NULL, NULL, napi_enumerable, NULL},
		{"createMemoryFile", NULL, create_memory_file, NULL, NULL, NULL, napi_enumerable, NULL},
		{"millisecondsSinceBoot", NULL, boot_time, NULL, NULL, NULL, napi_enumerable, NULL},
		{"lockFile", NULL, lock_file, NULL, NULL, NULL, napi_enumerable, NULL},
		{"signalProcess", NULL, signal_process, NULL, NULL, NULL, napi_enumerable, NULL},
		{"startExitWatcher", NULL, start_exit_watcher, NULL, NULL, NULL, napi_enumerable, NULL},
		{"watchExit", NULL, watch_exit, NULL, NULL, NULL, napi_enumerable, NULL},
		{"unwatchExit", NULL, unwatch_exit, NULL, NULL, NULL, napi_enumerable, NULL},
		{"forbidCoreDumps", NULL, forbid_own_core_dumps, NULL, NULL, NULL, napi_enumerable, NULL},
		{"probeSystemCalls", NULL, probe_system_calls, NULL, NULL, NULL, napi_enumerable, NULL},
	};

	napi_define_properties(env, exports, sizeof(functions) / sizeof(*functions), functions);
	return exports;
}
