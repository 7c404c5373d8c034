#include "execute.h"

#include "complain.h"
#include "environment.h"
#include "sys_process.h"

/* As a shell and execvp(3) do, a file that is in no format the kernel knows is a script for sh. */
static long execute_as_script(const char *file, char **arguments, char **environment)
{
	static char shell[] = "sh";
	size_t count = 0;

	while (arguments[count])
		count++;
	char **all = take_memory((count + 2) * sizeof(*all));

	if (!all)
		return -ENOMEM;
	all[0] = shell;
	all[1] = (char *)file;
	for (size_t i = 1; i < count; i++)
		all[i + 1] = arguments[i];
	return sys_execve("/bin/sh", all, environment);
}

int execute(const char *file, char **arguments, char **environment)
{
	long result = sys_execve(file, arguments, environment);

	if (result == -ENOEXEC)
		result = execute_as_script(file, arguments, environment);

	static struct refusal refusal;

	refuse(&refusal, result == -ENOENT ? ERR_NOT_FOUND : ERR_NOT_EXECUTABLE, file, " cannot be executed: ");
	message_add(&refusal.message, error_text(result));
	return complain_of(&refusal);
}
