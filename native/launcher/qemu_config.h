/* The files of QEMU's -readconfig. */
#ifndef ASYNC_TEARDOWN_QEMU_CONFIG_H
#define ASYNC_TEARDOWN_QEMU_CONFIG_H

/* Whether it sets async-teardown. 0 as well where it is no file, which only QEMU may read, or cannot be read. */
int qemu_config_sets_teardown(const char *file);

#endif
