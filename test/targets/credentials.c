/*
 * Changes its own credentials, says "ready", and waits for a signal:
 *
 *   credentials CHANGE...
 *   CHANGE  user=UID         becomes this user, with this group and no others
 *           effective=UID    has this effective user ID; the real and the saved one stay
 *           no-capabilities  gives up all capabilities
 *           namespace        moves to a user namespace of its own
 *           dumpable=0|1     prctl(PR_SET_DUMPABLE)
 *           no-new-privs     prctl(PR_SET_NO_NEW_PRIVS)
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int become(unsigned user)
{
	return setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ? -1 : setresuid(user, user, user);
}

static int give_up_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	return (int)syscall(SYS_capset, &header, none);
}

static int change(const char *what)
{
	const char *equals = strchr(what, '=');
	unsigned value = equals ? (unsigned)atoi(equals + 1) : 0;

	if (!strncmp(what, "user=", 5))
		return become(value);
	if (!strncmp(what, "effective=", 10))
		return seteuid(value);
	if (!strcmp(what, "no-capabilities"))
		return give_up_capabilities();
	if (!strcmp(what, "namespace"))
		return unshare(CLONE_NEWUSER);
	if (!strncmp(what, "dumpable=", 9))
		return prctl(PR_SET_DUMPABLE, value, 0, 0, 0);
	if (!strcmp(what, "no-new-privs"))
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (change(argv[i]) < 0) {
			perror(argv[i]);
			return 99;
		}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
