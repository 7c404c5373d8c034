#include "maps.h"

#include "common/sys.h"

void start_maps(struct maps_reader *reader, int fd)
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

/* A hexadecimal number; *after is the character behind it, or -1 at the end of the file. */
static uintptr_t read_number(struct maps_reader *reader, int *after)
{
	uintptr_t number = 0;

	for (;;) {
		int c = next_character(reader);

		if (c >= '0' && c <= '9')
			number = number * 16 + (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number * 16 + (uintptr_t)(c - 'a' + 10);
		else {
			*after = c;
			return number;
		}
	}
}

/* "start-end perms offset major:minor inode path" */
int next_mapping(struct maps_reader *reader, struct mapping *mapping)
{
	int c;
	char rights[4] = {0};

	mapping->start = read_number(reader, &c);
	if (c < 0)
		return 0;
	mapping->end = read_number(reader, &c);
	for (int i = 0; i < 4; i++)
		rights[i] = (char)next_character(reader);
	next_character(reader);
	read_number(reader, &c); /* offset */
	read_number(reader, &c); /* major */
	read_number(reader, &c); /* minor */
	uintptr_t inode = read_number(reader, &c);

	while (c >= 0 && c != '\n')
		c = next_character(reader);
	mapping->is_private_memory = rights[3] == 'p' && inode == 0;
	mapping->is_written_back = rights[3] == 's' && rights[1] == 'w';
	return c >= 0;
}
