#include "failure.h"

#include <asm/signal.h>

#include "sys.h"

static const char *meaning(int error)
{
	switch (error) {
	case EAGAIN:
		return "EAGAIN: the limit on processes is reached, see 'ulimit -u' and pids.max of the cgroup "
		       "(TasksMax= of a unit)";
	case ENOMEM:
		return "ENOMEM: no memory, or a limit on it is reached, see 'ulimit -v'";
	case EPERM:
		return "EPERM: forbidden, most likely by a seccomp filter";
	case ENOSYS:
		return "ENOSYS: the kernel does not have it, or a seccomp filter hides it";
	case EINVAL:
		return "EINVAL: this kernel does not know it";
	default:
		return 0;
	}
}

static void add_reason(struct text *line, const struct failure *failure)
{
	if (failure->signal == SIGSYS) {
		text_add(line, "SIGSYS: a seccomp filter kills for it");
	} else if (failure->signal) {
		text_add(line, "the helper was killed by signal ");
		text_add_number(line, (unsigned)failure->signal);
	} else if (meaning(failure->error)) {
		text_add(line, meaning(failure->error));
	} else {
		text_add(line, "errno ");
		text_add_number(line, (unsigned)failure->error);
	}
}

static int is_filters_doing(const struct failure *failure)
{
	return failure->signal == SIGSYS || (!failure->signal && (failure->error == EPERM || failure->error == ENOSYS));
}

void text_add_failure(struct text *line, const struct failure *failure)
{
	text_add(line, "could not ");
	text_add(line, failure->step);
	if (!failure->error && !failure->signal)
		return;
	text_add(line, " (");
	add_reason(line, failure);
	if (failure->call && is_filters_doing(failure)) {
		text_add(line, "; in a unit of systemd, 'SystemCallFilter=");
		text_add(line, failure->call);
		text_add(line, "' permits it");
	}
	text_add(line, ")");
}
