#include "pid_namespace.h"

#include "chars.h"
#include "sys.h"

uint64_t own_pid_namespace(void)
{
	char link[64]; /* pid:[4026531836] */
	long bytes = sys_readlink("/proc/self/ns/pid", link, sizeof(link) - 1);
	const char *digits = link;

	if (bytes <= 0)
		return 0;
	link[bytes] = 0;
	while (*digits && !chars_is_digit(*digits))
		digits++;
	return chars_number(&digits, UINT32_MAX);
}

/*
 * After unshare(CLONE_NEWPID) or setns, the next child is the first process, the init, of another PID
 * namespace, which ends with it: no place for a helper of ours. pid_namespaces(7). The link that tells
 * (from Linux 4.12) names nothing while that namespace has no process yet.
 */
int children_leave_pid_namespace(void)
{
	const char *link = "/proc/self/ns/pid_for_children";
	char own[64], childrens[64];
	long bytes = sys_readlink("/proc/self/ns/pid", own, sizeof(own));
	long other = sys_readlink(link, childrens, sizeof(childrens));

	if (bytes <= 0) /* no /proc: nothing to be known */
		return 0;
	if (other < 0) {
		long fd = sys_open(link, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			sys_close((int)fd);
		return fd >= 0;
	}
	if (bytes != other)
		return 1;
	while (bytes-- > 0)
		if (own[bytes] != childrens[bytes])
			return 1;
	return 0;
}
