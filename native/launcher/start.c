#include "start.h"

#include <linux/auxvec.h>

#include "common/chars.h"

struct start start_parse(long *stack)
{
	struct start start = {.arguments = (char **)(stack + 1)};
	char **entry = start.environment = start.arguments + stack[0] + 1;

	while (*entry)
		entry++;
	for (const unsigned long *pair = (unsigned long *)(entry + 1); *pair != AT_NULL; pair += 2)
		if (*pair == AT_EXECFN)
			start.executed_name = (const char *)pair[1];
	return start;
}

const char *start_variable(char **environment, const char *name)
{
	for (; *environment; environment++) {
		const char *value = chars_after(*environment, name);

		if (value && *value == '=')
			return value + 1;
	}
	return 0;
}
