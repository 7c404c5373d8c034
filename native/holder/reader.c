#include "reader.h"

#include "common/sys.h"
#include "common/userfaultfd.h"

/* A whole page everywhere: 64 KiB is the largest of either architecture. Only the shared zero page is
 * ever put there. */
#define PAGE_BYTES ((size_t)64 << 10)

#define STACK_BYTES 4096

/* The first answer is the one to tell of. */
static long new_userfaultfd(void)
{
	long fd = userfaultfd_by_call();
	long other = fd == -EPERM ? userfaultfd_by_device() : fd;

	return other >= 0 ? other : fd;
}

static int watch_pages(struct readers *readers, struct failure *failure)
{
	char *pages = sys_mmap(2 * PAGE_BYTES + PAGE_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	long result;

	if (sys_failed(pages))
		return fail(failure, "map the pages of its readers", (long)pages);
	pages += -(uintptr_t)pages % PAGE_BYTES;

	struct uffdio_register watched = {.range = {.start = (uintptr_t)pages, .len = 2 * PAGE_BYTES},
					  .mode = UFFDIO_REGISTER_MODE_MISSING};

	if ((result = sys_ioctl(readers->faults, UFFDIO_REGISTER, &watched)) < 0)
		return fail(failure, "register a page with userfaultfd", result);
	for (int i = 0; i < 2; i++)
		readers->each[i].page = pages + (size_t)i * PAGE_BYTES;
	return 0;
}

int readers_open(struct readers *readers, struct failure *failure)
{
	struct uffdio_api api = {.api = UFFD_API, .features = 0};
	long result = new_userfaultfd();

	if (result < 0)
		return fail(failure, "create a userfaultfd", result);
	readers->faults = (int)result;
	if ((result = sys_ioctl(readers->faults, UFFDIO_API, &api)) < 0)
		return fail(failure, "enable a userfaultfd", result);
	return watch_pages(readers, failure);
}

/*
 * The body of a reader. If the read returns EFAULT, an interruption has ended the page fault, and the hold is lost: read
 * again. No kernel tested so far does that; they go on waiting (see holder_keep).
 */
static void reader_main(void *argument)
{
	struct reader *reader = argument;
	long result;

	for (;;) {
		while (load(&reader->command) == WAIT)
			sys_futex(&reader->command, FUTEX_WAIT, WAIT, 0);
		do
			result = sys_pread(reader->source, reader->page, 1, 0);
		while (result == -EFAULT && load(&reader->command) == HOLD);
		store(&reader->command, WAIT);
		sys_futex(&reader->command, FUTEX_WAKE, 1, 0);
	}
}

int readers_start(struct readers *readers, int source, struct failure *failure)
{
	static _Alignas(16) char stacks[2][STACK_BYTES];

	for (int i = 0; i < 2; i++) {
		struct reader *reader = &readers->each[i];
		long result;

		reader->command = WAIT;
		reader->source = source;
		result = sys_clone_onto(READER_THREAD, stacks[i] + STACK_BYTES, 0, 0, reader_main, reader);
		if (result < 0)
			return fail(failure, "start a thread", result);
	}
	return 0;
}

/* Whether a message tells of the reader's page; those of the other one (it was interrupted, and
 * faulted again) need no answer. */
static int has_faulted(const struct readers *readers, const struct reader *reader)
{
	struct uffd_msg message;

	while (sys_read(readers->faults, &message, sizeof(message)) == sizeof(message))
		if (message.event == UFFD_EVENT_PAGEFAULT &&
		    message.arg.pagefault.address - (uintptr_t)reader->page < PAGE_BYTES)
			return 1;
	return 0;
}

enum parked reader_park(struct readers *readers, struct reader *reader, int milliseconds)
{
	if (load(&reader->command) == WAIT) {
		/* Missing again, so that touching it faults (rule 3). If it were not, the read would return: NOTHING. */
		sys_madvise((uintptr_t)reader->page, PAGE_BYTES, MADV_DONTNEED);
		store(&reader->command, HOLD);
		sys_futex(&reader->command, FUTEX_WAKE, 1, 0);
	}
	for (int left = milliseconds; left > 0; left--) {
		sys_poll_one(readers->faults, 1);
		if (has_faulted(readers, reader))
			return PARKED;
		if (load(&reader->command) == WAIT)
			return NOTHING;
	}
	return NOT_YET;
}

void reader_let_go(struct readers *readers, struct reader *reader)
{
	struct uffdio_zeropage zero = {.range = {.start = (uintptr_t)reader->page, .len = PAGE_BYTES}};
	uint32_t expected = HOLD;
	long result;

	if (!__atomic_compare_exchange_n(&reader->command, &expected, LET_GO, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return; /* it has found nothing to hold (rule 4) */
	/* If the reader is not in the fault now, its next read finds the page there. */
	while ((result = sys_ioctl(readers->faults, UFFDIO_ZEROPAGE, &zero)) == -EAGAIN)
		zero.zeropage = 0; /* mappings were changing; tried again */
	if (result < 0 && result != -EEXIST)
		sys_exit_group(1); /* no page, no memory for one: our exit ends every read (rule 11) */
}

int reader_join(struct reader *reader, int milliseconds)
{
	const struct __kernel_timespec limit = {.tv_sec = 0, .tv_nsec = milliseconds * NANOSECONDS_PER_MILLISECOND};

	if (load(&reader->command) == LET_GO)
		sys_futex(&reader->command, FUTEX_WAIT, LET_GO, &limit);
	return load(&reader->command) == WAIT;
}
