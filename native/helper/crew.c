#include "crew.h"

#include "common/sys.h"

long crew_start_thread(struct crew *crew, unsigned stack, void (*entry)(void *))
{
	char *top = crew->stacks + (stack + 1) * THREAD_STACK_BYTES;

	return sys_clone_onto(CREW_THREAD, top, 0, 0, entry, crew);
}
