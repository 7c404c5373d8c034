/*
 * A file server that hangs: serves one file of BYTES, "file", in DIRECTORY, by FUSE, and answers to everything but what
 * is written to it. Says "ready". When it is killed, the kernel ends what waits for its answers.
 *
 *   hung-server DIRECTORY BYTES        (root; the directory is to be unmounted afterwards)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_INODE 2
#define FOR_EVER 1000000

static int device;
static unsigned long long file_bytes;

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void answer(const struct fuse_in_header *request, int error, void *body, size_t bytes)
{
	struct fuse_out_header header = {
		.len = (unsigned)(sizeof(header) + bytes), .error = -error, .unique = request->unique};
	struct iovec parts[] = {{&header, sizeof(header)}, {body, bytes}};

	if (writev(device, parts, 2) < 0 && errno != ENOENT) /* it waits no more */
		die("hung-server: answer");
}

static struct fuse_attr attributes(unsigned long long inode)
{
	struct fuse_attr attr = {.ino = inode, .nlink = 1, .mode = S_IFDIR | 0755, .blksize = 4096};

	if (inode == FILE_INODE) {
		attr.mode = S_IFREG | 0644;
		attr.size = file_bytes;
	}
	return attr;
}

static void look_up(const struct fuse_in_header *request, const char *name)
{
	struct fuse_entry_out entry = {
		.nodeid = FILE_INODE, .entry_valid = FOR_EVER, .attr_valid = FOR_EVER, .attr = attributes(FILE_INODE)};

	if (strcmp(name, "file"))
		answer(request, ENOENT, NULL, 0);
	else
		answer(request, 0, &entry, sizeof(entry));
}

static void read_zeros(const struct fuse_in_header *request, const struct fuse_read_in *wanted)
{
	static char zeros[1 << 20];
	unsigned long long left = wanted->offset < file_bytes ? file_bytes - wanted->offset : 0;
	size_t bytes = wanted->size < sizeof(zeros) ? wanted->size : sizeof(zeros);

	answer(request, 0, zeros, bytes < left ? bytes : left);
}

static void serve(const struct fuse_in_header *request, void *body)
{
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
				     .minor = FUSE_KERNEL_MINOR_VERSION,
				     .max_readahead = 1 << 17,
				     .max_write = 1 << 17};
	struct fuse_attr_out attr = {.attr_valid = FOR_EVER, .attr = attributes(request->nodeid)};
	struct fuse_open_out opened = {.fh = 1};

	switch (request->opcode) {
	case FUSE_INIT:
		answer(request, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		look_up(request, body);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		answer(request, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(request, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		read_zeros(request, body);
		break;
	case FUSE_WRITE:  /* hangs */
	case FUSE_FORGET: /* no answer is wanted to these */
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(request, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char request[1 << 20];
	char options[64];

	if (argc != 3) {
		fputs("usage: hung-server DIRECTORY BYTES\n", stderr);
		return 99;
	}
	file_bytes = strtoull(argv[2], NULL, 10);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("hung-server", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		die(argv[1]);
	if (write(1, "ready\n", 6) != 6)
		die("write");
	for (;;) {
		ssize_t bytes = read(device, request, sizeof(request));

		if (bytes < 0 && errno != EINTR && errno != ENOENT)
			return errno == ENODEV ? 0 : 99; /* unmounted */
		if (bytes > 0)
			serve((struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
	}
}
