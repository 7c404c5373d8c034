#include "confine.h"

#include "chars.h"
#include "sys.h"

int is_filtered(void)
{
	return sys_prctl(PR_GET_SECCOMP, 0, 0) == SECCOMP_MODE_FILTER;
}

int avoids_young_calls(void)
{
	/* Where the kernel is younger than 6.3, so is most likely who made the filter. */
	return is_filtered() && sys_prctl(PR_GET_MDWE, 0, 0) < 0;
}

struct directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* "." and ".." come out as -1: every other name in /proc/self/fd is a number. */
static int descriptor_number(const char *name)
{
	uint64_t number = chars_number(&name, INT32_MAX);

	return *name ? -1 : (int)number;
}

/* What stays open: one descriptor, and a row of others. */
struct kept {
	int one, first, last;
};

static int is_kept(const struct kept *kept, int fd)
{
	return fd == kept->one || (fd >= kept->first && fd <= kept->last);
}

/* The way of kernels before 5.9, and of containers whose seccomp filter does not know close_range. */
static long close_listed(const struct kept *kept)
{
	_Alignas(struct directory_entry) char buffer[1024];
	long directory = sys_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long bytes;

	if (directory < 0)
		return directory;
	while ((bytes = sys_getdents((int)directory, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < bytes;) {
			struct directory_entry *entry = (struct directory_entry *)(buffer + at);
			int fd = descriptor_number(entry->name);

			/* close(2) frees the number whatever it answers. */
			if (fd >= 0 && !is_kept(kept, fd) && fd != directory)
				sys_close(fd);
			at += entry->bytes;
		}
	}
	sys_close((int)directory);
	return bytes;
}

/* The way where not even /proc is there. A limit of a thousand million is usual in containers; no
 * kernel hands out more than fs.nr_open, 1048576 unless raised. */
static long close_counted(const struct kept *kept)
{
	const int most = 1 << 20;
	struct rlimit64 limit;
	long result = sys_get_limit(RLIMIT_NOFILE, &limit);

	if (result < 0)
		return result;
	for (int fd = 0; fd < most && (uint64_t)fd < limit.rlim_cur; fd++)
		if (!is_kept(kept, fd))
			sys_close(fd);
	return 0;
}

/* Closes what is before, between and behind them. */
static long close_ranges(const struct kept *kept)
{
	int is_lower = kept->one < kept->first;
	int low = is_lower ? kept->one : kept->first, low_end = is_lower ? kept->one : kept->last;
	int high = is_lower ? kept->first : kept->one, high_end = is_lower ? kept->last : kept->one;
	long result = 0;

	if (low > 0)
		result = sys_close_range(0, (unsigned)low - 1);
	if (result == 0 && high > low_end + 1)
		result = sys_close_range((unsigned)low_end + 1, (unsigned)high - 1);
	if (result == 0)
		result = sys_close_range((unsigned)high_end + 1, ~0U);
	return result;
}

int close_all_but(int one, int first, int last, struct failure *failure)
{
	const struct kept kept = {.one = one, .first = first, .last = last};
	long result = -ENOSYS;

	try_step(failure, "close inherited descriptors", "close_range");
	if (!avoids_young_calls())
		result = close_ranges(&kept);

	if (result < 0)
		result = close_listed(&kept);
	if (result < 0)
		result = close_counted(&kept);
	return result < 0 ? fail_step(failure, result) : 0;
}

long forbid_core_dumps(void)
{
	struct rlimit64 limit;
	long result = sys_get_limit(RLIMIT_CORE, &limit);

	if (result < 0)
		return result;
	/* The hard limit as well: others of its user could raise the soft one; prlimit(2). */
	limit.rlim_cur = limit.rlim_max = limit.rlim_max < 1 ? limit.rlim_max : 1;
	result = sys_set_limit(RLIMIT_CORE, &limit);
	return result < 0 ? result : (long)limit.rlim_cur;
}

/*
 * Effective and inheritable capabilities go, and the ambient ones with them. The permitted ones stay: whoever has
 * fewer of those may not trace this process, nor open its memory (ptrace(2); cap_ptrace_access_check in
 * security/commoncap.c). Without them a helper would let others into a target that they may not touch. They are
 * of no use to it, because the filter that follows forbids capset and exec.
 */
static long disarm_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	long result = sys_capget(&header, sets);

	if (result < 0)
		return result;
	uint32_t armed = 0;

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		armed |= sets[i].effective | sets[i].inheritable;
		sets[i].effective = sets[i].inheritable = 0;
	}
	return armed ? sys_capset(&header, sets) : 0;
}

int drop_privileges(struct failure *failure)
{
	long result;

	/* capset may be what kills under a filter. The filter that follows leaves nothing to use them for. */
	if (!is_filtered() && (result = disarm_capabilities()) < 0)
		return fail(failure, "drop capabilities", result);
	try_step(failure, "set no_new_privs", "prctl");
	result = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	return result < 0 ? fail_step(failure, result) : 0;
}

int allow_only(const struct sock_filter *calls, unsigned short count, struct failure *failure)
{
	struct sock_fprog filter = {.len = count, .filter = (struct sock_filter *)calls};
	long result;

	/* Not seccomp(2), which does no more here, but which many filters forbid. */
	try_step(failure, "install a seccomp filter", "prctl");
	result = sys_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (unsigned long)&filter);
	return result < 0 ? fail_step(failure, result) : 0;
}
