#include "userfaultfd.h"

#include <linux/ioctl.h>
#include <linux/userfaultfd.h>

#include "sys.h"

/* Younger than some kernel headers that this is built with. */
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

long userfaultfd_by_call(void)
{
	return sys_call1(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
}

long userfaultfd_by_device(void)
{
	long device = sys_open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	long fd;

	if (device < 0)
		return device;
	fd = sys_ioctl((int)device, USERFAULTFD_IOC_NEW, (void *)(long)(O_CLOEXEC | O_NONBLOCK));
	sys_close((int)device);
	return fd;
}
