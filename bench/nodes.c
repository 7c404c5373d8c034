/*
 * On a machine with NUMA nodes: whose pages a release frees first, and by which CPU.
 *
 *   nodes fill LAYOUT BYTES                 binds memory to the nodes, fills it, says where, and waits for its end
 *   nodes watch LAYOUT BYTES COMMAND...     COMMAND is a protected "nodes fill LAYOUT BYTES"
 *   LAYOUT  halves    the first half is node 0's, the second node 1's
 *           stripes   32 MiB of one, 32 MiB of the other
 *           pages     one page of one, one of the other
 *           huge      halves, in transparent huge pages
 *           pool      halves, in huge pages of the pool (hugetlb)
 *           third     2 MiB of node 0, of node 2, of node 1, of node 2: no worker is on node 2, which has no CPU
 *
 * "watch" lets the helper go on for some milliseconds at a time, and writes each time what is left of each node
 * (numa_maps), then by the kernel's trace of madvise, in each thread's order, whose memory it freed on which CPU.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "measure.h"

#define PAGE ((size_t)4096)
#define MIB ((size_t)1 << 20)
#define STRIPE (32 * MIB)
#define NODES 3
#define STEP_US 4000
#define TRACING "/sys/kernel/tracing/"
#define MOST_THREADS 64

static int node_of(const char *layout, size_t offset, size_t bytes)
{
	if (!strcmp(layout, "third"))
		return "\0\2\1\2"[offset / (2 * MIB) % 4];
	if (!strcmp(layout, "stripes"))
		return (int)(offset / STRIPE % 2);
	if (!strcmp(layout, "pages"))
		return (int)(offset / PAGE % 2);
	return offset >= bytes / 2;
}

static void fill(const char *layout, size_t bytes)
{
	const int is_pool = !strcmp(layout, "pool"), is_huge = !strcmp(layout, "huge");
	const size_t huge = 2 * MIB;
	char *memory = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (is_pool ? MAP_HUGETLB : 0), -1, 0);

	if (memory == MAP_FAILED)
		die("nodes: mmap");
	/* From a whole huge page on, as the pieces of a release. */
	size_t head = -(uintptr_t)memory % huge;

	if (head && munmap(memory, head) < 0)
		die("nodes: munmap");
	memory += head;
	if (!is_pool && madvise(memory, bytes, is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0)
		die("nodes: madvise");
	for (int node = 0; node < NODES; node++) {
		unsigned long mask = 1UL << node;

		if (node == 2 && strcmp(layout, "third") != 0)
			break;
		/* The thread's policy rather than that of a range: one mapping stays one. */
		if (syscall(__NR_set_mempolicy, MPOL_BIND, &mask, 8 * sizeof(mask)) < 0)
			die("nodes: set_mempolicy");
		for (size_t at = 0; at < bytes; at += PAGE)
			if (node_of(layout, at, bytes) == node)
				memory[at] = 1;
	}
	if (syscall(__NR_set_mempolicy, MPOL_DEFAULT, NULL, 0) < 0)
		die("nodes: set_mempolicy");
	printf("%lx\n", (unsigned long)memory);
	fflush(stdout);
	for (;;)
		pause();
}

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(name);
	close(fd);
}

static pid_t helper_of(pid_t target)
{
	char wanted[32], name[32], file[300];
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	pid_t found = 0;

	snprintf(wanted, sizeof(wanted), "cleanup/%d\n", target);
	while (!found && proc && (entry = readdir(proc))) {
		snprintf(file, sizeof(file), "/proc/%s/comm", entry->d_name);
		FILE *comm = isdigit(*entry->d_name) ? fopen(file, "r") : NULL;

		if (comm && fgets(name, sizeof(name), comm) && !strcmp(name, wanted))
			found = atoi(entry->d_name);
		if (comm)
			fclose(comm);
	}
	if (!found)
		die("nodes: no helper");
	closedir(proc);
	return found;
}

/* MiB of each node in the mapping that begins there. Returns whether there is one. */
static int left_of(pid_t pid, unsigned long start, unsigned long left[NODES])
{
	char name[32], line[4096];
	int found = 0;

	snprintf(name, sizeof(name), "/proc/%d/numa_maps", pid);
	FILE *file = fopen(name, "r");

	memset(left, 0, NODES * sizeof(*left));
	while (file && fgets(line, sizeof(line), file)) {
		if (strtoul(line, NULL, 16) != start)
			continue;
		found = 1;
		char *kilobytes = strstr(line, " kernelpagesize_kB=");

		for (int node = 0; kilobytes && node < NODES; node++) {
			const char field[] = {' ', 'N', (char)('0' + node), '=', 0};
			char *count = strstr(line, field);

			left[node] =
				count ? strtoul(count + 4, NULL, 10) * strtoul(kilobytes + 19, NULL, 10) / 1024 : 0;
		}
	}
	if (file)
		fclose(file);
	return found;
}

static int is_alive(pid_t pid)
{
	return kill(pid, 0) == 0 && waitpid(pid, NULL, WNOHANG) == 0;
}

/* Steps with nothing new are left out. */
static void step_through(pid_t helper, unsigned long start)
{
	unsigned long left[NODES], before[NODES] = {0};

	while (is_alive(helper)) {
		int status;

		if (left_of(helper, start, left) && memcmp(left, before, sizeof(before)) != 0)
			printf("left: node 0 %5lu MiB, node 1 %5lu MiB, node 2 %5lu MiB\n", left[0], left[1], left[2]);
		memcpy(before, left, sizeof(before));
		kill(helper, SIGCONT);
		usleep(STEP_US);
		if (kill(helper, SIGSTOP) == 0)
			waitpid(helper, &status, WUNTRACED);
	}
}

/* Of the trace of madvise: in each thread's order, how much of which node on which CPU. */
static void read_trace(const char *layout, size_t bytes, unsigned long start)
{
	struct thread {
		int pid, cpu, node, moves;
		size_t bytes, mine, all;
	} threads[MOST_THREADS + 1] = {{.pid = 0}}; /* the last one stays empty */
	char line[512];
	FILE *file = fopen(TRACING "trace", "r");

	while (file && fgets(line, sizeof(line), file)) {
		char *cpu = strchr(line, '['), *call = strstr(line, "sys_madvise(start: "), *length;
		struct thread *thread = threads;

		if (!cpu || !call || !(length = strstr(call, "len_in: ")))
			continue;
		unsigned long at = strtoul(call + 19, NULL, 16), end = at + strtoul(length + 8, NULL, 16);

		if (end <= start || at >= start + bytes)
			continue;
		at = at < start ? start : at;
		end = end > start + bytes ? start + bytes : end;
		while (*--cpu == ' ')
			;
		while (isdigit(cpu[-1]))
			cpu--;
		int pid = atoi(cpu), on = atoi(strchr(line, '[') + 1), node = node_of(layout, at - start, bytes);

		while (thread->pid && thread->pid != pid)
			thread++;
		if (thread == threads + MOST_THREADS)
			continue;
		if (thread->pid && (thread->cpu != on || thread->node != node)) {
			printf("worker %ld on CPU %d: node %d, %zu MiB\n", (long)(thread - threads), thread->cpu,
			       thread->node, thread->bytes / MIB);
			thread->bytes = 0;
		}
		thread->pid = pid;
		thread->cpu = on;
		thread->node = node;
		thread->bytes += end - at;
		thread->all += end - at;
		thread->mine += on == node ? end - at : 0;
	}
	for (struct thread *thread = threads; thread->pid; thread++) {
		printf("worker %ld on CPU %d: node %d, %zu MiB\n", (long)(thread - threads), thread->cpu, thread->node,
		       thread->bytes / MIB);
		printf("worker %ld: %zu MiB in all, %zu of them of the node where it ran\n", (long)(thread - threads),
		       thread->all / MIB, thread->mine / MIB);
	}
	if (file)
		fclose(file);
}

static void stop_tracing(void)
{
	int fd = open(TRACING "events/syscalls/sys_enter_madvise/enable", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) < 0)
		perror("nodes: the trace of madvise is left on");
	close(fd);
}

static void watch(const char *layout, size_t bytes, char **command)
{
	int output[2], status;
	char where[32] = "";

	/* The kernel traces madvise of what frees: MADV_DONTNEED, or _LOCKED. */
	write_file(TRACING "events/syscalls/sys_enter_madvise/filter", "behavior == 4 || behavior == 24");
	atexit(stop_tracing);
	write_file(TRACING "events/syscalls/sys_enter_madvise/enable", "1");
	if (pipe2(output, O_CLOEXEC) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) /* the helper is to be our child */
		die("nodes: pipe");
	pid_t target = fork();

	if (target == 0) {
		dup2(output[1], 1);
		execvp(command[0], command);
		die(command[0]);
	}
	close(output[1]);
	if (target < 0 || read(output[0], where, sizeof(where) - 1) <= 0)
		die("nodes: the target ended before it was ready");
	unsigned long start = strtoul(where, NULL, 16);
	pid_t helper = helper_of(target);

	kill(helper, SIGSTOP);
	write_file(TRACING "trace", "\n");
	kill(target, SIGKILL);
	waitpid(target, &status, 0);
	step_through(helper, start);
	stop_tracing();
	read_trace(layout, bytes, start);
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;

	if (argc == 4 && !strcmp(argv[1], "fill"))
		fill(argv[2], bytes);
	if (argc < 5 || strcmp(argv[1], "watch") != 0)
		die("usage: nodes fill LAYOUT BYTES, nodes watch LAYOUT BYTES COMMAND...");
	watch(argv[2], bytes, argv + 4);
	return 0;
}
