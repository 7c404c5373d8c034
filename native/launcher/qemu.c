#include "qemu.h"

#include <stddef.h>

#include "common/chars.h"
#include "environment.h"

/* ---- as QEMU reads its words: system/vl.c, lookup_opt() ------------------------------------------ */

/* The options that take no value, from QEMU 2.0 to 10.0. Any other takes the next word, whatever that is. An array
 * of arrays rather than of pointers: nobody would relocate them. */
static const char flags[][24] = {
	"h",
	"help",
	"version",
	"audio-help",
	"async-teardown",
	"S",
	"s",
	"snapshot",
	"daemonize",
	"nographic",
	"nodefaults",
	"nodefconfig",
	"no-user-config",
	"preconfig",
	"enable-kvm",
	"enable-hax",
	"enable-fips",
	"enable-sync-profile",
	"mem-prealloc",
	"only-migratable",
	"singlestep",
	"semihosting",
	"usb",
	"old-param",
	"no-acpi",
	"no-hpet",
	"no-reboot",
	"no-shutdown",
	"no-fd-bootchk",
	"no-quit",
	"no-frame",
	"no-kvm",
	"no-kvm-irqchip",
	"no-kvm-pit",
	"no-kvm-pit-reinjection",
	"full-screen",
	"portrait",
	"alt-grab",
	"ctrl-grab",
	"curses",
	"sdl",
	"localtime",
	"win2k-hack",
	"rtc-td-hack",
	"tdf",
	"xen-attach",
	"xen-create",
	"xen-domid-restrict",
};

/* The name of an option, which has one dash or two; null where the word is none. */
static const char *option_name(const char *word)
{
	const char *name = chars_after(word, "-");
	const char *behind = chars_after(name, "-");

	return behind ? behind : name;
}

static int takes_value(const char *name)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (chars_equal(name, flags[i]))
			return 0;
	return 1;
}

/* How many words this option is; one that lacks its value is QEMU's to complain of. */
static size_t words_of(char **word)
{
	const char *name = option_name(*word);

	return name && takes_value(name) && word[1] ? 2 : 1;
}

/* ---- the value of -run-with: util/qemu-option.c, get_opt_value() ---------------------------------- */

/* The end of a part; a comma that is doubled belongs to it. */
static const char *end_of_part(const char *part)
{
	while (*part && (*part != ',' || part[1] == ','))
		part += *part == ',' ? 2 : 1;
	return part;
}

static int is_part(const char *part, const char *expected)
{
	const char *rest = chars_after(part, expected);

	return rest && rest == end_of_part(part);
}

static int says_on(const char *part)
{
	return is_part(part, "async-teardown") || is_part(part, "async-teardown=on") ||
	       is_part(part, "async-teardown=yes") || is_part(part, "async-teardown=true") ||
	       is_part(part, "async-teardown=y");
}

static int says_off(const char *part)
{
	return is_part(part, "noasync-teardown") || is_part(part, "async-teardown=off") ||
	       is_part(part, "async-teardown=no") || is_part(part, "async-teardown=false") ||
	       is_part(part, "async-teardown=n");
}

static const char *next_part(const char *part)
{
	const char *end = end_of_part(part);

	return *end ? end + 1 : 0;
}

static void read_run_with(const char *value, struct qemu_options *options)
{
	for (const char *part = value; part; part = next_part(part)) {
		options->on |= says_on(part);
		options->off |= says_off(part);
	}
}

/* The same value without what it says of teardown; empty where it says nothing else. */
static char *without_teardown(const char *value)
{
	char *rest = take_memory(chars_length(value) + 1); /* zeros: it ends */
	size_t length = 0;
	int is_first = 1; /* which may be empty */

	for (const char *part = value; rest && part; part = next_part(part)) {
		if (says_on(part) || says_off(part))
			continue;
		if (!is_first)
			rest[length++] = ',';
		is_first = 0;
		for (const char *end = end_of_part(part), *at = part; at < end; at++)
			rest[length++] = *at;
	}
	return rest;
}

/* ---- all of it -------------------------------------------------------------------------------------- */

static int is_qemu(const char *file)
{
	const char *name = chars_base_name(file);

	return chars_after(name, "qemu-system-") || chars_equal(name, "qemu-kvm") || chars_equal(name, "kvm");
}

struct qemu_options qemu_read(const char *file, char **command)
{
	struct qemu_options options = {0};

	if (!is_qemu(file))
		return options;
	for (char **word = command + 1; *word; word += words_of(word)) {
		const char *name = option_name(*word);

		if (!name)
			continue;
		options.on |= chars_equal(name, "async-teardown");
		options.daemonize |= chars_equal(name, "daemonize");
		if (chars_equal(name, "run-with") && word[1])
			read_run_with(word[1], &options);
	}
	options.off &= !options.on;
	return options;
}

int qemu_take_off(char **command)
{
	char **kept = command + 1;

	for (char **word = command + 1; *word;) {
		const char *name = option_name(*word);
		size_t words = words_of(word);
		char *value = words == 2 ? word[1] : 0;
		struct qemu_options said = {0};

		if (name && value && chars_equal(name, "run-with"))
			read_run_with(value, &said);
		if ((said.on || said.off) && !(value = without_teardown(value)))
			return -1;
		if (!(name && chars_equal(name, "async-teardown")) && !((said.on || said.off) && !*value)) {
			*kept++ = *word;
			if (words == 2)
				*kept++ = value;
		}
		word += words;
	}
	*kept = 0;
	return 0;
}
