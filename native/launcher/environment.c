#include "environment.h"

#include "common/chars.h"
#include "common/sys.h"

void *take_memory(size_t bytes)
{
	void *memory = sys_mmap(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);

	return sys_failed(memory) ? 0 : memory;
}

char **environment_copy(char **environment, size_t more)
{
	size_t count = 0;

	while (environment[count])
		count++;
	char **copy = take_memory((count + more + 1) * sizeof(*copy)); /* zeros: it ends */

	for (size_t i = 0; copy && i < count; i++)
		copy[i] = environment[i];
	return copy;
}

static int same_name(const char *variable, const char *other)
{
	while (*variable && *variable != '=' && *variable == *other)
		variable++, other++;
	return *variable == *other && (!*variable || *variable == '=');
}

void environment_set(char **environment, char *variable)
{
	char **kept = environment;
	int placed = 0;

	for (char **entry = environment; *entry; entry++) {
		int same = same_name(variable, *entry);

		if (!same)
			*kept++ = *entry;
		else if (!placed++)
			*kept++ = variable;
	}
	if (!placed)
		*kept++ = variable;
	*kept = 0;
}

void environment_drop(char **environment, const char *prefix)
{
	char **kept = environment;

	for (char **entry = environment; *entry; entry++)
		if (!chars_after(*entry, prefix))
			*kept++ = *entry;
	*kept = 0;
}
