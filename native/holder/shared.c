#include "shared.h"

#include "common/maps.h"
#include "common/record.h"
#include "common/sys_files.h"

#define LOOK_MS 60000
#define SOON_MS 1000

int shared_open(struct shared_objects *shared, int first, int maps, struct failure *failure)
{
	for (int i = 0; i < shared->count; i++) {
		struct shared_object *object = &shared->each[i];
		struct stat file;
		long result = sys_fstat(first + i, &file);

		if (result < 0)
			return fail(failure, "look at a shared memory object", result);
		object->fd = first + i;
		object->device = file.st_dev;
		object->inode = file.st_ino;
	}
	shared->maps = maps;
	shared->next_look = milliseconds_since_boot() + LOOK_MS;
	return 0;
}

static int is_any_kept(const struct shared_objects *shared)
{
	for (int i = 0; i < shared->count; i++)
		if (shared->each[i].fd >= 0)
			return 1;
	return 0;
}

int shared_wait(const struct shared_objects *shared)
{
	uint64_t now = milliseconds_since_boot();

	if (!is_any_kept(shared))
		return -1;
	return shared->next_look > now ? (int)(shared->next_look - now) : 0;
}

void shared_look_soon(struct shared_objects *shared)
{
	uint64_t soon = milliseconds_since_boot() + SOON_MS;

	if (soon < shared->next_look)
		shared->next_look = soon;
}

static void let_go(struct shared_object *object)
{
	if (object->fd >= 0)
		sys_close(object->fd);
	object->fd = -1;
}

/* Which objects the target maps, a bit each. None of them where it has another image now. */
static unsigned mapped_objects(const struct shared_objects *shared)
{
	struct maps_reader reader;
	struct mapping mapping;
	unsigned mapped = 0;

	maps_start(&reader, shared->maps);
	while (maps_next(&reader, &mapping))
		for (int i = 0; i < shared->count; i++)
			if (mapping.inode == shared->each[i].inode && mapping.device == shared->each[i].device)
				mapped |= 1U << i;
	return mapped;
}

void shared_look(struct shared_objects *shared)
{
	if (shared_wait(shared) != 0)
		return;
	unsigned mapped = mapped_objects(shared);

	for (int i = 0; i < shared->count; i++)
		if (!(mapped & 1U << i))
			let_go(&shared->each[i]);
	shared->next_look = milliseconds_since_boot() + LOOK_MS;
}

uint64_t shared_bytes(const struct shared_objects *shared)
{
	const uint64_t block = 512; /* of st_blocks; stat(2) */
	uint64_t bytes = 0;
	struct stat file;

	for (int i = 0; i < shared->count; i++)
		if (shared->each[i].fd >= 0 && sys_fstat(shared->each[i].fd, &file) == 0)
			bytes += (uint64_t)file.st_blocks * block;
	return bytes;
}

void shared_let_go(struct shared_objects *shared)
{
	for (int i = 0; i < shared->count; i++)
		let_go(&shared->each[i]);
}
