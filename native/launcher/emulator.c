#include "emulator.h"

#include "arch/arch.h"
#include "common/chars.h"

static const char own_name[] = "qemu-async-teardown";

static const char own_arch[] = ARCHITECTURE_NAME;

/* By what was executed: argv[0] is the caller's to choose. */
static const char *name_of(const struct start *start)
{
	const char *name = start->executed_name ? start->executed_name : start->arguments[0];

	return name ? name : "";
}

/* What follows our name: "", "-" and an architecture, or null. */
static const char *suffix_of(const struct start *start)
{
	const char *rest = chars_after(chars_base_name(name_of(start)), own_name);

	return rest && (!*rest || (*rest == '-' && rest[1])) ? rest : 0;
}

int emulator_is_meant(const struct start *start)
{
	return suffix_of(start) != 0;
}

/* One that is there and may not be executed is passed over, because the next may be. */
static int is_there(const char *directory, const char *name, const struct surroundings *surroundings,
		    char file[LONGEST_PATH])
{
	static struct message path;
	static struct refusal ignored;

	path.length = 0;
	message_add(&path, directory);
	message_add(&path, name);
	return find_command(path.text, surroundings, file, &ignored) == 0;
}

static int find_beside(const struct start *start, const char *name, const struct surroundings *surroundings,
		       char file[LONGEST_PATH])
{
	static struct message directory;
	const char *own = name_of(start);
	size_t length = (size_t)(chars_base_name(own) - own);

	directory.length = 0;
	message_add(&directory, own);
	if (length == 0 || directory.length < length)
		return 0;
	directory.text[length] = 0;
	return is_there(directory.text, name, surroundings, file);
}

static int find_by_name(const struct start *start, const char *arch, const struct surroundings *surroundings,
			char file[LONGEST_PATH])
{
	static struct message name;

	name.length = 0;
	message_add(&name, "qemu-system-");
	message_add(&name, arch);
	return find_beside(start, name.text, surroundings, file) || is_there("", name.text, surroundings, file) ||
	       is_there("/usr/bin/", name.text, surroundings, file);
}

/* RHEL's is in /usr/libexec, others have it in PATH. */
static int find_kvm(const struct surroundings *surroundings, char file[LONGEST_PATH])
{
	return is_there("", "qemu-kvm", surroundings, file) || is_there("/usr/bin/", "qemu-kvm", surroundings, file) ||
	       is_there("/usr/libexec/", "qemu-kvm", surroundings, file);
}

int emulator_find(const struct start *start, const struct surroundings *surroundings, char file[LONGEST_PATH],
		  struct refusal *refusal)
{
	const char *setting = start_variable(start->environment, EMULATOR_VARIABLE);
	const char *suffix = suffix_of(start);
	const char *arch = suffix && *suffix ? suffix + 1 : own_arch;

	if (setting && *setting)
		return find_command(setting, surroundings, file, refusal);
	if (find_by_name(start, arch, surroundings, file))
		return 0;
	if (chars_equal(arch, own_arch) && find_kvm(surroundings, file))
		return 0;
	refuse_with(refusal, ERR_NOT_FOUND, "there is no qemu-system-", arch, " in PATH or in /usr/bin");
	refusal->advice = "name it in the variable " EMULATOR_VARIABLE;
	return -1;
}
