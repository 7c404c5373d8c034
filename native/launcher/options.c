#include "options.h"

#include "common/chars.h"
#include "common/size.h"
#include "help.h"

#define MOST_CHOICES 4

enum option_id { WORKERS, RATE, PRIORITY, MECHANISM, BEST_EFFORT, FOLLOW_FORKS, HELP };

/* Arrays rather than pointers: nobody would relocate them in a program without a loader. */
static const struct option {
	enum option_id id;
	char name[16];
	char short_name[4];
	char value[16]; /* what its value is called; empty where it has none */
	char about[208];
	char choices[MOST_CHOICES][8]; /* in the order of the enum that they stand for */
	char usual[8];
} table[] = {
	{WORKERS,
	 "--workers",
	 "",
	 "<number>",
	 "how many threads give the memory back, at most, 1 to 64; 'auto': one for each CPU that the target may use",
	 {""},
	 "auto"},
	{RATE,
	 "--rate",
	 "",
	 "<bytes>",
	 "bytes a second that are given back at most, as 2G, 1M to 8T; of private memory, by a helper",
	 {""},
	 ""},
	{PRIORITY,
	 "--priority",
	 "",
	 "<priority>",
	 "how gently the memory is given back: as other work, with the least share of CPU, or when nothing else runs",
	 {"normal", "low", "idle"},
	 "normal"},
	{MECHANISM,
	 "--mechanism",
	 "",
	 "<mechanism>",
	 "what protects it: a helper from inside, a holder from outside (needs CAP_SYS_PTRACE), both, or the helper "
	 "where it can and otherwise the holder",
	 {"auto", "helper", "holder", "both"},
	 "auto"},
	{BEST_EFFORT,
	 "--best-effort",
	 "",
	 "",
	 "run it unprotected, with a warning, where it cannot be protected",
	 {""},
	 ""},
	{FOLLOW_FORKS,
	 "--follow-forks",
	 "",
	 "",
	 "protect what it forks as well: a daemon that goes to the background, workers; not what these exec",
	 {""},
	 ""},
	{HELP, "--help", "-h", "", "display help for command", {""}, ""},
};

#define OPTIONS (sizeof(table) / sizeof(*table))

/* ---- what goes wrong ------------------------------------------------------------------------ */

static int usage(struct refusal *refusal, const char *before, const char *word, const char *behind)
{
	refuse_with(refusal, ERR_USAGE, before, word, behind);
	refusal->advice = "see --help";
	return -1;
}

static int option_usage(struct refusal *refusal, const struct option *option, const char *behind)
{
	usage(refusal, "error: option '", option->name, " ");
	message_add(&refusal->message, option->value);
	message_add(&refusal->message, "' argument ");
	message_add(&refusal->message, behind);
	return -1;
}

static int invalid(struct refusal *refusal, const struct option *option, const char *value, const char *rule)
{
	option_usage(refusal, option, "'");
	message_add_name(&refusal->message, value);
	message_add(&refusal->message, "' is invalid. ");
	message_add(&refusal->message, rule);
	return -1;
}

/* ---- values ---------------------------------------------------------------------------------- */

static int read_choice(const struct option *option, const char *value, unsigned *choice, struct refusal *refusal)
{
	for (unsigned i = 0; i < MOST_CHOICES && option->choices[i][0]; i++)
		if (chars_equal(value, option->choices[i])) {
			*choice = i;
			return 0;
		}
	invalid(refusal, option, value, "Allowed choices are ");
	for (unsigned i = 0; i < MOST_CHOICES && option->choices[i][0]; i++) {
		message_add(&refusal->message, i ? ", " : "");
		message_add(&refusal->message, option->choices[i]);
	}
	return -1;
}

static int read_workers(const struct option *option, const char *value, unsigned *workers, struct refusal *refusal)
{
	const char *end = value;
	uint64_t number = chars_number(&end, MOST_WORKERS);

	if (chars_equal(value, "auto"))
		number = 0;
	else if (*end || number < 1 || number > MOST_WORKERS)
		return invalid(refusal, option, value, "Workers are \"auto\" or a number from 1 to 64");
	*workers = (unsigned)number;
	return 0;
}

static int read_rate(const struct option *option, const char *value, uint64_t *rate, struct refusal *refusal)
{
	*rate = size_parse(value);
	if (*rate == 0)
		return invalid(refusal, option, value,
			       "A size is a number above 0 with K, M, G or T behind, or of bytes: 64G");
	if (*rate < LEAST_RATE || *rate > MOST_RATE)
		return invalid(refusal, option, value, "A rate is 1M to 8T, of bytes a second");
	return 0;
}

/* `value` is empty for an option that has none. */
static int take(const struct option *option, const char *value, struct run_options *options, struct refusal *refusal)
{
	unsigned choice;

	switch (option->id) {
	case WORKERS:
		return read_workers(option, value, &options->release.workers, refusal);
	case RATE:
		return read_rate(option, value, &options->release.rate, refusal);
	case PRIORITY:
		if (read_choice(option, value, &choice, refusal) < 0)
			return -1;
		options->release.priority = (enum priority)choice;
		return 0;
	case MECHANISM:
		if (read_choice(option, value, &choice, refusal) < 0)
			return -1;
		options->mechanism = (enum mechanism)choice;
		return 0;
	case BEST_EFFORT:
		options->best_effort = 1;
		return 0;
	case FOLLOW_FORKS:
		options->follow_forks = 1;
		return 0;
	case HELP:
		options->wants_help = 1;
		return 0;
	}
	return 0;
}

/* ---- words ------------------------------------------------------------------------------------ */

/* The option that a word is, and what stands behind its "=", or null. */
static const struct option *find_option(const char *word, const char **value)
{
	*value = 0;
	for (const struct option *option = table; option < table + OPTIONS; option++) {
		const char *rest = chars_after(word, option->name);

		if ((rest && !*rest) || (*option->short_name && chars_equal(word, option->short_name)))
			return option;
		if (rest && *rest == '=' && *option->value) {
			*value = rest + 1;
			return option;
		}
	}
	return 0;
}

int options_parse(char **words, struct run_options *options, struct refusal *refusal)
{
	*options = (struct run_options){.mechanism = MECHANISM_AUTO};
	for (; *words && (*words)[0] == '-' && (*words)[1]; words++) {
		const char *value;

		if (chars_equal(*words, "--")) {
			words++;
			break;
		}
		const struct option *option = find_option(*words, &value);

		if (!option)
			return usage(refusal, "error: unknown option '", *words, "'");
		if (!*option->value)
			value = "";
		else if (!value && !(value = *++words))
			return option_usage(refusal, option, "missing");
		if (take(option, value, options, refusal) < 0)
			return -1;
		if (options->wants_help)
			return 0;
	}
	options->command = words;
	return *words ? 0 : usage(refusal, "error: missing required argument 'command'", "", "");
}

/* ---- help ------------------------------------------------------------------------------------- */

static const char before_options[] = "Usage: async-teardown run [OPTION...] [--] COMMAND [ARG...]\n"
				     "\n"
				     "Runs a command so that it exits at once, whatever it holds in memory: a helper,\n"
				     "made before its main function, shares its address space, outlives it, and gives\n"
				     "the memory back afterwards; or a holder does so from outside.\n"
				     "\n"
				     "Arguments:\n"
				     "  command                  what to run, and its arguments\n"
				     "\n"
				     "Options:\n";

static const char behind_options[] =
	"\n"
	"Examples:\n"
	"  async-teardown run -- qemu-system-x86_64 -m 64G -nographic disk.img\n"
	"  async-teardown run redis-server /etc/redis/redis.conf --daemonize no\n"
	"  async-teardown run --best-effort -- ./start.sh\n"
	"  async-teardown run --mechanism both -- /usr/sbin/mysqld\n"
	"  async-teardown run --rate 2G --priority idle -- java -Xmx64g -jar server.jar\n"
	"\n"
	"The command runs in this very process: same PID, descriptors, signals and limits. A script\n"
	"that ends in 'exec server' stays protected; the command's children are not.\n"
	"\n"
	"Exit status:\n"
	"  125  the command was not started, because it could not be protected\n"
	"  126  the command was found but cannot be executed\n"
	"  127  the command was not found\n"
	"       otherwise the command's own\n";

static void describe(const struct option *option, struct message *about)
{
	about->length = 0;
	message_add(about, option->about);
	if (!option->usual[0])
		return;
	message_add(about, " (");
	for (unsigned i = 0; i < MOST_CHOICES && option->choices[i][0]; i++) {
		message_add(about, i ? ", \"" : "choices: \"");
		message_add(about, option->choices[i]);
		message_add(about, "\"");
	}
	message_add(about, option->choices[0][0] ? ", default: \"" : "default: \"");
	message_add(about, option->usual);
	message_add(about, "\")");
}

static void name(const struct option *option, struct message *term)
{
	term->length = 0;
	if (option->short_name[0]) {
		message_add(term, option->short_name);
		message_add(term, ", ");
	}
	message_add(term, option->name);
	message_add(term, option->value[0] ? " " : "");
	message_add(term, option->value);
}

long options_print_help(void)
{
	static struct message help, term, about;

	message_add(&help, before_options);
	for (const struct option *option = table; option < table + OPTIONS; option++) {
		name(option, &term);
		describe(option, &about);
		help_add_item(&help, term.text, about.text);
	}
	message_add(&help, behind_options);
	return help_print(&help);
}
