#include "protection.h"

#include "chars.h"
#include "pid_namespace.h"
#include "sys.h"

#define DIGITS 10 /* of the largest 32-bit number */

/* As words, by enum priority. */
static const char priorities[][8] = {"normal", "low", "idle"};

#define PRIORITIES (sizeof(priorities) / sizeof(*priorities))

/* The end of a field: a slash, or that of the text. */
static int ends(const char *at)
{
	return !*at || *at == '/';
}

/* Reads exactly ten digits at the end of a field. */
static int read_digits(const char *at, uint64_t *value)
{
	const char *end = at;

	*value = chars_number(&end, UINT32_MAX);
	return end == at + DIGITS && ends(end);
}

static int read_number(const char *at, uint64_t least, uint64_t most, uint64_t *value)
{
	const char *end = at;

	*value = chars_number(&end, most);
	return *value >= least && *value <= most && ends(end);
}

static int read_priority(const char *at, enum priority *priority)
{
	for (unsigned i = 0; i < PRIORITIES; i++) {
		const char *end = chars_after(at, priorities[i]);

		if (end && ends(end)) {
			*priority = (enum priority)i;
			return 1;
		}
	}
	return 0;
}

/* Whether the field is one that is known, with a value that makes sense. */
static int read_field(char *field, struct protection *protection)
{
	char *value = field + (chars_find(field, ':') - field);
	uint64_t number;

	if (*value)
		value++;
	if (chars_after(field, "pid:")) {
		protection->pid_digits = value;
		return read_digits(value, &protection->pid);
	}
	if (chars_after(field, "ns:")) {
		protection->namespace_digits = value;
		return read_digits(value, &protection->namespace);
	}
	if (chars_after(field, "strict:")) {
		protection->strict_digit = value;
		protection->strict = *value == '1';
		return (*value == '0' || *value == '1') && ends(value + 1);
	}
	if (chars_after(field, "forks:")) {
		protection->follow_forks = *value == '1';
		return (*value == '0' || *value == '1') && ends(value + 1);
	}
	if (chars_after(field, "workers:") && read_number(value, 1, MOST_WORKERS, &number)) {
		protection->options.workers = (unsigned)number;
		return 1;
	}
	if (chars_after(field, "rate:"))
		return read_number(value, LEAST_RATE, MOST_RATE, &protection->options.rate);
	return chars_after(field, "priority:") && read_priority(value, &protection->options.priority);
}

void protection_read(char *value, struct protection *protection)
{
	int is_damaged = 0;

	*protection = (struct protection){.pid = 0};
	for (char *field = value; *field;) {
		if (!read_field(field, protection)) {
			is_damaged |= chars_after(field, "pid:") || chars_after(field, "ns:");
			if (!protection->unknown)
				protection->unknown = field;
		}
		field += chars_find(field, '/') - field;
		if (*field)
			field++;
	}
	if (is_damaged || !protection->pid_digits || !protection->namespace_digits)
		protection->pid_digits = protection->namespace_digits = 0;
}

int protection_names_us(const struct protection *protection)
{
	if (!protection->pid_digits)
		return 0;
	if (protection->pid == 0)
		return 1;
	if (protection->pid != (uint64_t)sys_getpid())
		return 0;
	return protection->namespace == 0 || protection->namespace == own_pid_namespace();
}

static void write_digits(char *digits, uint64_t value)
{
	for (int i = DIGITS - 1; i >= 0; i--, value /= 10)
		digits[i] = (char)('0' + value % 10);
}

void protection_claim(const struct protection *protection)
{
	if (protection->pid == 0) {
		write_digits(protection->pid_digits, (uint64_t)sys_getpid());
		write_digits(protection->namespace_digits, own_pid_namespace());
	}
	if (protection->strict)
		*protection->strict_digit = '0';
}

static void add_digits(struct text *text, uint64_t value)
{
	char digits[DIGITS + 1] = {0};

	write_digits(digits, value);
	text_add(text, digits);
}

void protection_write(struct text *text, const struct protection *protection)
{
	const struct release_options *options = &protection->options;

	text_add(text, "pid:");
	add_digits(text, protection->pid);
	text_add(text, "/ns:");
	add_digits(text, protection->namespace);
	text_add(text, protection->strict ? "/strict:1" : "/strict:0");
	if (protection->follow_forks)
		text_add(text, "/forks:1");
	if (options->workers) {
		text_add(text, "/workers:");
		text_add_number(text, options->workers);
	}
	if (options->rate) {
		text_add(text, "/rate:");
		text_add_number(text, options->rate);
	}
	if (options->priority != PRIORITY_NORMAL) {
		text_add(text, "/priority:");
		text_add(text, priorities[options->priority]);
	}
}
