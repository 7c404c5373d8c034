/*
 * The readers of native/, for tests under AddressSanitizer and UBSan: each gets a copy of its input with nothing around
 * it, so that one that reads or writes too far ends the program.
 *
 * As a program it reads "NAME BYTES\n" and so many bytes from standard input, again and again, and answers each with a
 * line of JSON; test/support/readers.ts asks. With FUZZ defined it is a fuzz target of libFuzzer, and the variable
 * READER names the reader; test/fuzz/fuzz.js starts it.
 */
#define _POSIX_C_SOURCE 200809L /* no more: the kernel's headers have some of the libc's types as well */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/elf.h"
#include "command/executable.h"
#include "command/script.h"
#include "command/variables.h"
#include "common/chars.h"
#include "common/maps.h"
#include "common/proc_status.h"
#include "common/protection.h"
#include "common/record.h"
#include "common/size.h"
#include "helper/nodes.h"
#include "helper/numa.h"
#include "helper/proc_stat.h"
#include "holder/argv_record.h"
#include "launcher/environment.h"
#include "launcher/options.h"
#include "launcher/qemu.h"
#include "launcher/qemu_config.h"

struct input {
	char *bytes; /* with a NUL behind, for a reader of text; otherwise with nothing behind */
	size_t length;
};

/* ---- JSON ------------------------------------------------------------------------------------ */

static FILE *answer;

static void say(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	if (vfprintf(answer, format, values) < 0)
		abort();
	va_end(values);
}

static void say_text(const char *text, size_t length)
{
	say("\"");
	for (size_t i = 0; i < length; i++)
		say("\\u%04x", (unsigned char)text[i]);
	say("\"");
}

static void say_words(char *const *words)
{
	say("[");
	for (char *const *word = words; *word; word++) {
		say(word == words ? "" : ",");
		say_text(*word, strlen(*word));
	}
	say("]");
}

/* ---- what a reader needs --------------------------------------------------------------------- */

static void *allocate(size_t bytes)
{
	void *memory = malloc(bytes);

	if (!memory)
		abort();
	return memory;
}

static void *taken[64];
static size_t taken_count;

/* The launcher's, but with bounds, and given back. */
void *take_memory(size_t bytes)
{
	if (taken_count == sizeof(taken) / sizeof(*taken))
		return NULL;
	taken[taken_count] = allocate(bytes);
	memset(taken[taken_count], 0, bytes);
	return taken[taken_count++];
}

static void give_back(void)
{
	while (taken_count)
		free(taken[--taken_count]);
}

/* A file with the input in it. */
static int open_file(const struct input *input)
{
	long fd = sys_memfd_create("input");

	if (fd < 0 || sys_pwrite((int)fd, input->bytes, input->length, 0) != (long)input->length)
		abort();
	return (int)fd;
}

static void name_file(char name[32], int fd)
{
	if (snprintf(name, 32, "/proc/self/fd/%d", fd) < 0)
		abort();
}

/* The input's words, each with a NUL behind, and a null pointer at the end. */
static char **split_words(const struct input *input)
{
	char **words = allocate((input->length + 2) * sizeof(*words));
	size_t count = 0;

	for (size_t at = 0; at < input->length; at += strlen(input->bytes + at) + 1)
		words[count++] = input->bytes + at;
	words[count] = NULL;
	return words;
}

/* ---- the readers ------------------------------------------------------------------------------- */

static void read_number(const struct input *input)
{
	const char *end = input->bytes;
	uint64_t most = input->length ? (unsigned char)input->bytes[0] : 0, number;

	if (input->length)
		end++;
	number = chars_number(&end, most);
	if (number > most + 1)
		abort();
	say("{\"number\":%lu,\"rest\":", (unsigned long)number);
	say_text(end, strlen(end));
	say("}");
}

static void read_size(const struct input *input)
{
	say("%lu", (unsigned long)size_parse(input->bytes));
}

static void read_shebang(const struct input *input)
{
	struct shebang parsed;

	if (!shebang_parse(input->bytes, input->length, &parsed)) {
		say("null");
		return;
	}
	say("{\"interpreter\":");
	say_text(parsed.interpreter, strlen(parsed.interpreter));
	say(",\"argument\":");
	say_text(parsed.argument, strlen(parsed.argument));
	say("}");
}

/* Of a script's first line, so it is shorter than that. */
static void read_env_argument(const struct input *input)
{
	char command[SHEBANG_BYTES];

	if (input->length >= SHEBANG_BYTES || env_argument_parse(input->bytes, command) < 0)
		say("null");
	else
		say_text(command, strlen(command));
}

static void read_elf_header(const struct input *input)
{
	struct elf_header header;

	if (!elf_header_parse(input->bytes, input->length, &header)) {
		say("null");
		return;
	}
	say("{\"is64Bit\":%d,\"machine\":%u,\"offset\":%lu,\"entryBytes\":%u,\"count\":%u}", header.is_64_bit,
	    header.machine, (unsigned long)header.offset, header.entry_bytes, header.count);
}

/* A whole file: what its headers point to as well. */
static void read_executable(const struct input *input)
{
	static struct executable executable;
	static struct refusal refusal;
	struct surroundings surroundings = own_surroundings(NULL);
	int fd = open_file(input);
	char name[32];

	name_file(name, fd);
	refusal.code = NOT_REFUSED;
	executable_examine(name, &surroundings, &executable, &refusal);
	sys_close(fd);
	say("{\"kind\":%d,\"isAsan\":%d,\"code\":\"%s\"}", executable.kind, executable.is_asan,
	    refusal_code_name(refusal.code));
}

static void read_protection(const struct input *input)
{
	struct text written = {.length = 0};
	struct protection parsed;

	protection_read(input->bytes, &parsed);
	if (!parsed.pid_digits) {
		say("null");
		return;
	}
	say("{\"pid\":%lu,\"namespace\":%lu,\"strict\":%d,\"forks\":%d,\"workers\":%u,\"rate\":%lu,\"priority\":%d",
	    (unsigned long)parsed.pid, (unsigned long)parsed.namespace, parsed.strict, parsed.follow_forks,
	    parsed.options.workers, (unsigned long)parsed.options.rate, (int)parsed.options.priority);
	if (parsed.unknown) {
		say(",\"unknown\":");
		say_text(parsed.unknown, strlen(parsed.unknown));
	}
	protection_write(&written, &parsed);
	say(",\"written\":");
	say_text(written.text, written.length);
	protection_claim(&parsed);
	say(",\"claimed\":");
	say_text(input->bytes, input->length);
	say("}");
}

static void read_status(const struct input *input)
{
	char *room = allocate(PROC_STATUS_BYTES);
	int fd = open_file(input);
	struct proc_status status = proc_status_read(fd, room);

	sys_close(fd);
	free(room);
	say("{\"state\":");
	say_text(&status.state, status.state ? 1 : 0);
	say(",\"hasMemory\":%d,\"bytes\":%lu,\"anonymousBytes\":%lu,\"swappedBytes\":%lu}", status.has_memory,
	    (unsigned long)status.bytes, (unsigned long)status.anonymous_bytes, (unsigned long)status.swapped_bytes);
}

static void read_stat(const struct input *input)
{
	int fd = open_file(input);

	say("%d", proc_stat_says_dead(fd));
	sys_close(fd);
}

static void read_maps(const struct input *input)
{
	struct maps_reader *reader = allocate(sizeof(*reader));
	struct mapping mapping;
	int fd = open_file(input), is_first = 1;

	maps_start(reader, fd);
	say("[");
	for (; maps_next(reader, &mapping); is_first = 0)
		say("%s{\"start\":%lu,\"end\":%lu,\"isPrivateMemory\":%d,\"isWrittenBack\":%d,\"inode\":%lu}",
		    is_first ? "" : ",", (unsigned long)mapping.start, (unsigned long)mapping.end,
		    mapping.is_private_memory, mapping.is_written_back, (unsigned long)mapping.inode);
	say("]");
	sys_close(fd);
	free(reader);
}

/* What is counted is what is written. */
static void say_value(size_t bytes, const char *value)
{
	if (strlen(value) + 1 != bytes)
		abort();
	say_text(value, bytes - 1);
}

static void read_preload(const struct input *input)
{
	static const char library[] = "/usr/lib/async-teardown/libasync-teardown.so";
	size_t bytes = preload_value(NULL, input->bytes, library);
	char *value = allocate(bytes);

	say_value(preload_value(value, input->bytes, library), value);
	free(value);
}

static void read_asan_options(const struct input *input)
{
	size_t bytes = asan_options_value(NULL, input->bytes);
	char *value = allocate(bytes);

	say_value(asan_options_value(value, input->bytes), value);
	free(value);
}

static void read_options(const struct input *input)
{
	static struct refusal refusal;
	struct run_options options;
	char **words = split_words(input);

	if (options_parse(words, &options, &refusal) < 0) {
		say("{\"error\":");
		say_text(refusal.message.text, refusal.message.length);
	} else {
		say("{\"mechanism\":%d,\"bestEffort\":%d,\"help\":%d,\"workers\":%u,\"rate\":%lu,\"priority\":%d",
		    (int)options.mechanism, options.best_effort, options.wants_help, options.release.workers,
		    (unsigned long)options.release.rate, (int)options.release.priority);
		if (options.command) {
			say(",\"command\":");
			say_words(options.command);
		}
	}
	say("}");
	free(words);
}

static void read_qemu(const struct input *input)
{
	char **words = split_words(input);

	if (!words[0]) {
		say("null");
	} else {
		struct qemu_options said = qemu_read(words);

		say("{\"on\":%d,\"off\":%d,\"daemonize\":%d,\"words\":", said.on, said.off, said.daemonize);
		if (qemu_take_off(words) == 0)
			say_words(words);
		else
			say("null");
		say("}");
	}
	give_back();
	free(words);
}

static void read_qemu_config(const struct input *input)
{
	int fd = open_file(input);
	char name[32];

	name_file(name, fd);
	say("%d", qemu_config_sets_teardown(name));
	sys_close(fd);
}

/* A holder's record in room of the input's length, and what is behind the first NUL of it left alone. */
static void write_argv_record(const struct input *input)
{
	static const struct release_options options = {.workers = 7, .rate = 1 << 20, .priority = PRIORITY_IDLE};
	struct holder holder = {.pagemap = -1, .record = input->bytes, .bytes = (uint64_t)1 << 40};
	struct text told = {.length = 0};

	argv_record_show_state(&holder);
	argv_record_show_releasing(&holder);
	say("{\"argv\":");
	say_text(input->bytes, input->length);
	record_add_release(&told, 1, UINT64_MAX, UINT64_MAX, 3);
	record_add_options(&told, &options);
	say(",\"told\":");
	say_text(told.text, told.length);
	say("}");
}

/*
 * A machine with nodes, as far as nodes.c asks. The digit for each 64 KiB of addresses, over and over, is the node of
 * the page there; '-' is none.
 */
#define NODES_BYTES ((uintptr_t)64 << 10)
static const char *nodes_of_pages;
static int node_of_caller;

int numa_node_of_caller(void)
{
	return node_of_caller;
}

int numa_node_of_page(uintptr_t address)
{
	char digit = nodes_of_pages[address / NODES_BYTES % strlen(nodes_of_pages)];

	return digit == '-' ? -ENOENT : digit - '0';
}

/* A fuzzer's mappings are of any size. */
#ifdef FUZZ
#define MOST_TURNS (1 << 10)
#else
#define MOST_TURNS (1 << 20)
#endif

static int are_turns(const char *text)
{
	for (; *text; text += 2)
		if (*text < '0' || text[1] < 'a' || text[1] > 'z')
			return 0;
	return 1;
}

/*
 * "NODES TURNS MAPS", each with a NUL behind. A turn is a digit, the node of the worker that comes next, and a letter: 'a'
 * for 64 KiB, 'b' for twice that. Without nodes, it is a machine of one.
 */
static void hand_out_pieces(const struct input *input)
{
	char **words = split_words(input), *maps = words[0] && words[1] ? words[2] : NULL;
	struct input file = {.bytes = maps, .length = maps ? strlen(maps) : 0};
	static const struct own own;
	struct nodes *nodes = allocate(sizeof(*nodes));
	struct pieces *pieces = allocate(sizeof(*pieces));
	struct mapping piece;
	int fd = open_file(&file), is_first = 1, found = maps && *words[1] && are_turns(words[1]);

	memset(nodes, 0, sizeof(*nodes));
	nodes_of_pages = found ? words[0] : "";
	nodes->is_on = *nodes_of_pages != 0;
	pieces_start(pieces, fd, -1, &own);
	say("[");
	for (size_t turn = 0, turns = 0; found && turns < MOST_TURNS;
	     turns++, turn = words[1][turn + 2] ? turn + 2 : 0) {
		node_of_caller = words[1][turn] - '0';
		found = nodes_next(nodes, pieces, NODES_BYTES << (words[1][turn + 1] - 'a'), &piece);
		if (found <= 0)
			continue;
		say("%s{\"node\":%d,\"start\":%lu,\"end\":%lu}", is_first ? "" : ",", node_of_caller,
		    (unsigned long)piece.start, (unsigned long)piece.end);
		is_first = 0;
	}
	say("]");
	sys_close(fd);
	free(pieces);
	free(nodes);
	free(words);
}

static const struct reader_of {
	const char *name;
	void (*read)(const struct input *);
	int is_text; /* it counts on a NUL behind */
} readers[] = {
	{"number", read_number, 1},
	{"size", read_size, 1},
	{"shebang", read_shebang, 0},
	{"env-argument", read_env_argument, 1},
	{"elf-header", read_elf_header, 0},
	{"executable", read_executable, 0},
	{"protection", read_protection, 1},
	{"status", read_status, 0},
	{"stat", read_stat, 0},
	{"maps", read_maps, 0},
	{"preload", read_preload, 1},
	{"asan-options", read_asan_options, 1},
	{"options", read_options, 1},
	{"qemu", read_qemu, 1},
	{"qemu-config", read_qemu_config, 0},
	{"argv-record", write_argv_record, 1},
	{"pieces", hand_out_pieces, 1},
};

static const struct reader_of *find_reader(const char *name)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
		if (strcmp(readers[i].name, name) == 0)
			return &readers[i];
	fprintf(stderr, "no reader '%s'\n", name);
	exit(2);
}

static void run_reader(const struct reader_of *reader, const char *bytes, size_t length)
{
	struct input input = {.bytes = allocate(length + (reader->is_text ? 1 : 0)), .length = length};

	if (length)
		memcpy(input.bytes, bytes, length);
	if (reader->is_text)
		input.bytes[length] = 0;
	reader->read(&input);
	free(input.bytes);
}

/* ---- how it is started -------------------------------------------------------------------------- */

#ifdef FUZZ

static const struct reader_of *fuzzed;

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	const char *name = getenv("READER");

	(void)count;
	(void)arguments;
	fuzzed = find_reader(name ? name : "");
	answer = fopen("/dev/null", "w");
	return answer ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_reader(fuzzed, (const char *)data, size);
	return 0;
}

#else

int main(void)
{
	char name[16];
	size_t length;

	answer = stdout;
	while (scanf("%15s %zu", name, &length) == 2 && getchar() == '\n') {
		char *bytes = allocate(length + 1);

		if (fread(bytes, 1, length, stdin) != length)
			return 1;
		run_reader(find_reader(name), bytes, length);
		say("\n");
		if (fflush(answer) != 0)
			return 1;
		free(bytes);
	}
	return 0;
}

#endif
