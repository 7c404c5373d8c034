/* Raw system calls about files, and about who this process is. */
#ifndef ASYNC_TEARDOWN_SYS_FILES_H
#define ASYNC_TEARDOWN_SYS_FILES_H

#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/stat.h>

#include "sys.h"

/* Younger than some kernel headers that this is built with; the number is the same everywhere. */
#ifndef __NR_faccessat2
#define __NR_faccessat2 439
#endif

/* Flags of a mount in struct statfs; statfs(2). */
#define MOUNT_NOSUID 0x0002
#define MOUNT_NOEXEC 0x0008

#define LONGEST_PATH 4096 /* with its NUL; the kernel takes no longer one */

/* Modes of access(2). */
#define MAY_EXECUTE 1

static inline long sys_stat_at(int directory, const char *path, struct stat *file)
{
	return sys_call4(__NR_newfstatat, directory, path, file, 0);
}

static inline long sys_fstat(int fd, struct stat *file)
{
	return sys_call2(__NR_fstat, fd, file);
}

static inline long sys_fstatfs(int fd, struct statfs *system)
{
	return sys_call2(__NR_fstatfs, fd, system);
}

/* By the effective IDs, as execve(2) asks; before Linux 5.8 by the real ones. */
static inline long sys_access_at(int directory, const char *path, int mode)
{
	long result = sys_call4(__NR_faccessat2, directory, path, mode, AT_EACCESS);

	if (result != -ENOSYS && result != -EPERM)
		return result;
	return sys_call3(__NR_faccessat, directory, path, mode);
}

static inline long sys_fgetxattr(int fd, const char *name)
{
	return sys_call4(__NR_fgetxattr, fd, name, 0, 0);
}

static inline long sys_getcwd(char *buffer, size_t bytes)
{
	return sys_call2(__NR_getcwd, buffer, bytes);
}

static inline unsigned sys_getuid(void)
{
	return (unsigned)sys_call0(__NR_getuid);
}

static inline unsigned sys_geteuid(void)
{
	return (unsigned)sys_call0(__NR_geteuid);
}

static inline unsigned sys_getgid(void)
{
	return (unsigned)sys_call0(__NR_getgid);
}

static inline unsigned sys_getegid(void)
{
	return (unsigned)sys_call0(__NR_getegid);
}

#endif
