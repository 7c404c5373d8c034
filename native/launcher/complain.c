#include "complain.h"

#include <linux/errno.h>

#include "common/write_quietly.h"

void complain(const char *first, const char *second, const char *third)
{
	static struct message line;

	line.length = 0;
	message_add(&line, "async-teardown: ");
	message_add(&line, first);
	message_add(&line, second ? second : "");
	message_add(&line, third ? third : "");
	if (line.length == sizeof(line.text) - 1)
		line.length--; /* cut: the line still ends */
	message_add(&line, "\n");
	write_quietly(line.text, line.length);
}

int complain_of(const struct refusal *refusal)
{
	complain(refusal->message.text, refusal->advice ? "; " : 0, refusal->advice);
	return refusal_exit_code(refusal->code);
}

const char *error_text(long result)
{
	switch (-result) {
	case ENOENT:
		return "no such file or directory";
	case EACCES:
		return "permission denied";
	case EPERM:
		return "operation not permitted";
	case ENOEXEC:
		return "exec format error";
	case E2BIG:
		return "argument list too long";
	case ENOMEM:
		return "cannot allocate memory";
	case EAGAIN:
		return "the limit on processes is reached (ulimit -u, or pids.max of the cgroup, TasksMax= of a unit)";
	case EMFILE:
	case ENFILE:
		return "too many open files";
	case ETXTBSY:
		return "text file busy";
	case ELOOP:
		return "too many levels of symbolic links";
	case ENAMETOOLONG:
		return "file name too long";
	case ENOTDIR:
		return "not a directory";
	case EIO:
		return "input/output error";
	case ENOSPC:
		return "no space left on device";
	case EINVAL:
		return "invalid argument";
	case EBADF:
		return "it is closed";
	case ENOSYS:
		return "the kernel does not have it, or a seccomp filter hides it";
	default:
		return "an unexpected error";
	}
}
