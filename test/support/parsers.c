/*
 * The parsers of native/ for tests: each function takes a Buffer, which is copied to the end of a page with nothing
 * behind it, so that a parser that reads too far dies.
 */
#define _GNU_SOURCE
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command/elf.h"
#include "command/script.h"
#include "common/protection.h"
#include "common/size.h"

struct bytes {
	char *mapping, *data;
	size_t mapped, length;
};

static int take(napi_env env, napi_callback_info info, struct bytes *bytes)
{
	size_t count = 1, page = (size_t)sysconf(_SC_PAGESIZE);
	napi_value argument;
	void *data;

	if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
	    napi_get_buffer_info(env, argument, &data, &bytes->length) != napi_ok)
		return -1;
	bytes->mapped = (bytes->length / page + 2) * page;
	bytes->mapping = mmap(NULL, bytes->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes->mapping == MAP_FAILED || mprotect(bytes->mapping + bytes->mapped - page, page, PROT_NONE) < 0)
		abort();
	bytes->data = bytes->mapping + bytes->mapped - page - bytes->length;
	if (bytes->length)
		memcpy(bytes->data, data, bytes->length);
	return 0;
}

static void set_number(napi_env env, napi_value object, const char *name, uint64_t number)
{
	napi_value value;

	napi_create_double(env, (double)number, &value);
	napi_set_named_property(env, object, name, value);
}

static void set_text(napi_env env, napi_value object, const char *name, const char *text, size_t length)
{
	napi_value value;

	napi_create_string_latin1(env, text, length, &value);
	napi_set_named_property(env, object, name, value);
}

static napi_value shebang(napi_env env, napi_callback_info info)
{
	struct shebang parsed;
	napi_value result = NULL;
	struct bytes bytes;

	if (take(env, info, &bytes) < 0)
		return NULL;
	if (shebang_parse(bytes.data, bytes.length, &parsed)) {
		napi_create_object(env, &result);
		set_text(env, result, "interpreter", parsed.interpreter, NAPI_AUTO_LENGTH);
		set_text(env, result, "argument", parsed.argument, NAPI_AUTO_LENGTH);
	}
	munmap(bytes.mapping, bytes.mapped);
	return result;
}

static napi_value env_argument(napi_env env, napi_callback_info info)
{
	char command[SHEBANG_BYTES];
	napi_value result = NULL;
	struct bytes bytes;

	if (take(env, info, &bytes) < 0)
		return NULL;
	if (env_argument_parse(bytes.data, command) == 0)
		napi_create_string_latin1(env, command, NAPI_AUTO_LENGTH, &result);
	munmap(bytes.mapping, bytes.mapped);
	return result;
}

static napi_value elf_header(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	struct elf_header header;
	struct bytes bytes;

	if (take(env, info, &bytes) < 0)
		return NULL;
	if (elf_header_parse(bytes.data, bytes.length, &header)) {
		napi_create_object(env, &result);
		set_number(env, result, "is64Bit", (uint64_t)header.is_64_bit);
		set_number(env, result, "machine", header.machine);
		set_number(env, result, "offset", header.offset);
		set_number(env, result, "entryBytes", header.entry_bytes);
		set_number(env, result, "count", header.count);
	}
	munmap(bytes.mapping, bytes.mapped);
	return result;
}

static napi_value size(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	struct bytes bytes;

	if (take(env, info, &bytes) < 0)
		return NULL;
	napi_create_double(env, (double)size_parse(bytes.data), &result);
	munmap(bytes.mapping, bytes.mapped);
	return result;
}

/* { pid, namespace, strict, workers, rate, priority, unknown, claimed, written }, or undefined where it names nobody. */
static napi_value protection(napi_env env, napi_callback_info info)
{
	struct protection parsed;
	napi_value result = NULL;
	struct text written = {.length = 0};
	struct bytes bytes;

	if (take(env, info, &bytes) < 0)
		return NULL;
	protection_read(bytes.data, &parsed);
	if (parsed.pid_digits) {
		napi_create_object(env, &result);
		set_number(env, result, "pid", parsed.pid);
		set_number(env, result, "namespace", parsed.namespace);
		set_number(env, result, "strict", (uint64_t)parsed.strict);
		set_number(env, result, "workers", parsed.options.workers);
		set_number(env, result, "rate", parsed.options.rate);
		set_number(env, result, "priority", parsed.options.priority);
		if (parsed.unknown)
			set_text(env, result, "unknown", parsed.unknown, NAPI_AUTO_LENGTH);
		protection_write(&written, &parsed);
		set_text(env, result, "written", written.text, written.length);
		protection_claim(&parsed);
		set_text(env, result, "claimed", bytes.data, bytes.length - 1);
	}
	munmap(bytes.mapping, bytes.mapped);
	return result;
}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor functions[] = {
		{"shebang", NULL, shebang, NULL, NULL, NULL, napi_enumerable, NULL},
		{"envArgument", NULL, env_argument, NULL, NULL, NULL, napi_enumerable, NULL},
		{"elfHeader", NULL, elf_header, NULL, NULL, NULL, napi_enumerable, NULL},
		{"size", NULL, size, NULL, NULL, NULL, napi_enumerable, NULL},
		{"protection", NULL, protection, NULL, NULL, NULL, napi_enumerable, NULL},
	};

	napi_define_properties(env, exports, sizeof(functions) / sizeof(*functions), functions);
	return exports;
}
