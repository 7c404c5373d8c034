#include "maps.h"

#include "common/sys.h"

void maps_start(struct maps_reader *reader, int fd)
{
	reader->fd = fd;
	reader->offset = reader->filled = reader->next = 0;
}

static int next_character(struct maps_reader *reader)
{
	if (reader->next == reader->filled) {
		long bytes = sys_pread(reader->fd, reader->buffer, sizeof(reader->buffer), reader->offset);

		if (bytes <= 0)
			return -1;
		reader->offset += bytes;
		reader->filled = bytes;
		reader->next = 0;
	}
	return (unsigned char)reader->buffer[reader->next++];
}

/* A number, by its base; *after is the character behind it, or -1 at the end of the file. */
static uint64_t read_number(struct maps_reader *reader, unsigned base, int *after)
{
	uint64_t number = 0;

	for (;;) {
		int c = next_character(reader);

		if (c >= '0' && c <= '9')
			number = number * base + (unsigned)(c - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			number = number * base + (unsigned)(c - 'a' + 10);
		else {
			*after = c;
			return number;
		}
	}
}

/* As new_encode_dev of include/linux/kdev_t.h, for stat(2). */
static uint64_t device_number(uint64_t major, uint64_t minor)
{
	return (minor & 0xff) | (major << 8) | ((minor & ~(uint64_t)0xff) << 12);
}

/* "start-end perms offset major:minor inode path" */
int maps_next(struct maps_reader *reader, struct mapping *mapping)
{
	int c;
	char rights[4] = {0};

	mapping->start = read_number(reader, 16, &c);
	if (c < 0)
		return 0;
	mapping->end = read_number(reader, 16, &c);
	for (int i = 0; i < 4; i++)
		rights[i] = (char)next_character(reader);
	next_character(reader);
	read_number(reader, 16, &c); /* offset */
	uint64_t major = read_number(reader, 16, &c);
	uint64_t minor = read_number(reader, 16, &c);

	mapping->device = device_number(major, minor);
	mapping->inode = read_number(reader, 10, &c);

	while (c >= 0 && c != '\n')
		c = next_character(reader);
	mapping->is_private_memory = rights[3] == 'p' && mapping->inode == 0;
	mapping->is_written_back = rights[3] == 's' && rights[1] == 'w';
	return c >= 0;
}
