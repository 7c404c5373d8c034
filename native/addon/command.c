#include "command.h"

#include "command/library.h"
#include "command/protectable.h"
#include "command/variables.h"

/* Strings come as Buffers with a NUL behind, because Linux's are bytes. null and undefined are none. */
static int get_string(napi_env env, napi_value argument, const char **string)
{
	napi_valuetype type;
	size_t bytes = 0;
	void *data = NULL;

	*string = NULL;
	if (napi_typeof(env, argument, &type) == napi_ok && (type == napi_null || type == napi_undefined))
		return 0;
	if (napi_get_buffer_info(env, argument, &data, &bytes) != napi_ok || bytes == 0 ||
	    ((char *)data)[bytes - 1] != 0)
		return -1;
	*string = data;
	return 0;
}

/* A negative number is this process's own. Node.js sets real, effective and saved ID alike. */
static int get_identity(napi_env env, napi_value user, napi_value group, struct surroundings *surroundings)
{
	int64_t numbers[2];

	if (napi_get_value_int64(env, user, &numbers[0]) != napi_ok ||
	    napi_get_value_int64(env, group, &numbers[1]) != napi_ok)
		return -1;
	if (numbers[0] >= 0)
		surroundings->real_user = surroundings->effective_user = (unsigned)numbers[0];
	if (numbers[1] >= 0)
		surroundings->real_group = surroundings->effective_group = (unsigned)numbers[1];
	return 0;
}

/* { code, message, advice, isAsan }; the code of what is not refused is "". */
static napi_value make_verdict(napi_env env, const struct refusal *refusal, int is_asan)
{
	napi_value result, code, message, advice, asan;

	if (napi_create_object(env, &result) != napi_ok ||
	    napi_create_string_utf8(env, refusal_code_name(refusal->code), NAPI_AUTO_LENGTH, &code) != napi_ok ||
	    napi_create_string_utf8(env, refusal->message.text, refusal->message.length, &message) != napi_ok ||
	    napi_get_undefined(env, &advice) != napi_ok ||
	    (refusal->advice && napi_create_string_utf8(env, refusal->advice, NAPI_AUTO_LENGTH, &advice) != napi_ok) ||
	    napi_get_boolean(env, is_asan, &asan) != napi_ok ||
	    napi_set_named_property(env, result, "code", code) != napi_ok ||
	    napi_set_named_property(env, result, "message", message) != napi_ok ||
	    napi_set_named_property(env, result, "advice", advice) != napi_ok ||
	    napi_set_named_property(env, result, "isAsan", asan) != napi_ok)
		return NULL; /* the exception is pending */
	return result;
}

static napi_value wrong_arguments(napi_env env)
{
	napi_throw_type_error(env, NULL, "takes Buffers that end with a NUL, and numbers");
	return NULL;
}

/* examineCommand(command, PATH, directory, user, group): whether a helper can protect what it starts. */
napi_value examine_command(napi_env env, napi_callback_info info)
{
	struct refusal refusal = {.code = NOT_REFUSED};
	const char *command, *path, *directory;
	char file[LONGEST_PATH];
	struct walk walk;
	napi_value arguments[5];
	size_t count = 5;
	int is_asan = 0;

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 5 ||
	    get_string(env, arguments[0], &command) < 0 || !command || get_string(env, arguments[1], &path) < 0 ||
	    get_string(env, arguments[2], &directory) < 0)
		return wrong_arguments(env);
	struct surroundings surroundings = own_surroundings(path);

	if (get_identity(env, arguments[3], arguments[4], &surroundings) < 0)
		return wrong_arguments(env);
	if (directory) {
		long fd = sys_open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0) {
			refuse(&refusal, ERR_NOT_FOUND, directory, " is no directory to start in");
			return make_verdict(env, &refusal, 0);
		}
		surroundings.directory = (int)fd;
	}
	if (find_command(command, &surroundings, file, &refusal) == 0)
		check_protectable(file, &surroundings, &walk, &is_asan, &refusal);
	if (directory)
		sys_close(surroundings.directory);
	return make_verdict(env, &refusal, is_asan);
}

/* checkLibrary(path, user, group): whether programs of this user can load it. */
napi_value check_library(napi_env env, napi_callback_info info)
{
	struct surroundings surroundings = own_surroundings(NULL);
	struct refusal refusal = {.code = NOT_REFUSED};
	napi_value arguments[3];
	const char *library;
	size_t count = 3;

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3 ||
	    get_string(env, arguments[0], &library) < 0 || !library ||
	    get_identity(env, arguments[1], arguments[2], &surroundings) < 0)
		return wrong_arguments(env);
	library_check(library, &surroundings, &refusal);
	return make_verdict(env, &refusal, 0);
}

/* A Buffer of so many bytes, and where they are. */
static napi_value make_buffer(napi_env env, size_t bytes, char **data)
{
	napi_value buffer;

	return napi_create_buffer(env, bytes, (void **)data, &buffer) == napi_ok ? buffer : NULL;
}

/* preloadList(inherited, library): the value of LD_PRELOAD, with its NUL. */
napi_value preload_list(napi_env env, napi_callback_info info)
{
	const char *inherited, *library;
	napi_value arguments[2], result;
	size_t count = 2;
	char *data;

	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
	    get_string(env, arguments[0], &inherited) < 0 || get_string(env, arguments[1], &library) < 0 || !library)
		return wrong_arguments(env);
	if ((result = make_buffer(env, preload_value(NULL, inherited, library), &data)))
		preload_value(data, inherited, library);
	return result;
}

/* asanOptions(inherited): the value of ASAN_OPTIONS, with its NUL. */
napi_value asan_options(napi_env env, napi_callback_info info)
{
	const char *inherited;
	napi_value argument, result;
	size_t count = 1;
	char *data;

	if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count != 1 ||
	    get_string(env, argument, &inherited) < 0)
		return wrong_arguments(env);
	if ((result = make_buffer(env, asan_options_value(NULL, inherited), &data)))
		asan_options_value(data, inherited);
	return result;
}
