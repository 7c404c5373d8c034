#include "qemu.h"

#include <stddef.h>

#include "common/chars.h"
#include "environment.h"
#include "qemu_config.h"

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
	"perfmap",
	"jitdump",
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
	"show-cursor",
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

/* The last part that says something counts, as for QEMU. */
static void read_run_with(const char *value, struct qemu_options *options)
{
	int on = 0, off = 0;

	for (const char *part = value; part; part = next_part(part))
		if (says_on(part) || says_off(part)) {
			on = says_on(part);
			off = !on;
		}
	options->on |= on;
	options->off |= off;
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

/* ---- a QEMU that is asked, and runs no machine ---------------------------------------------------------- */

/* Those that list what there is. Elsewhere, as for -name, it is a word like others. */
static const char listing[][12] = {
	"cpu", "machine", "M", "device", "accel", "netdev", "nic", "chardev", "object", "display", "vga", "audio",
};

/* As "-cpu help" and "-device e1000,help" have it; and "?", as before QEMU 1.2. */
static int lists(const char *name, const char *value)
{
	int knows_help = 0;

	for (size_t i = 0; i < sizeof(listing) / sizeof(*listing); i++)
		knows_help |= chars_equal(name, listing[i]);
	for (const char *part = value; knows_help && part; part = next_part(part))
		if (is_part(part, "help") || is_part(part, "?"))
			return 1;
	return 0;
}

/* The machine without anything, to which libvirt and others put their questions. */
static int is_no_machine(const char *value)
{
	return is_part(value, "none") || is_part(value, "type=none");
}

/* `value` is the next word, or null. */
static int only_answers(const char *name, const char *value)
{
	if (chars_equal(name, "version") || chars_equal(name, "h") || chars_equal(name, "help"))
		return 1;
	if (!takes_value(name) || !value)
		return 0;
	return lists(name, value) || ((chars_equal(name, "machine") || chars_equal(name, "M")) && is_no_machine(value));
}

/* ---- all of it -------------------------------------------------------------------------------------- */

int qemu_is(const char *file)
{
	const char *name = chars_base_name(file);

	return chars_after(name, "qemu-system-") || chars_equal(name, "qemu-kvm") || chars_equal(name, "kvm");
}

struct qemu_options qemu_read(char **command)
{
	struct qemu_options options = {0};

	for (char **word = command + 1; *word; word += words_of(word)) {
		const char *name = option_name(*word);

		if (!name)
			continue;
		options.on |= chars_equal(name, "async-teardown");
		options.daemonize |= chars_equal(name, "daemonize");
		options.only_answers |= only_answers(name, word[1]);
		if (chars_equal(name, "run-with") && word[1])
			read_run_with(word[1], &options);
	}
	options.off &= !options.on;
	return options;
}

const char *qemu_unheeded_file(char **command)
{
	for (char **word = command + 1; *word; word += words_of(word)) {
		const char *name = option_name(*word);

		if (name && chars_equal(name, "readconfig") && word[1] && qemu_config_sets_teardown(word[1]))
			return word[1];
	}
	return 0;
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
