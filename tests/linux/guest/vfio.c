/* SPDX-License-Identifier: BSD-2-Clause */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define HUGE 0x200000ull
#define EDU_ID 0x11e81234u
#define EDU_BUFFER 0x40000u
#define EDU_DMA_SRC 0x80
#define EDU_DMA_DST 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_CMD 0x98
#define EDU_DMA_START 1u
#define EDU_DMA_FROM_DEVICE 2u
#define PCI_COMMAND 4
#define PCI_COMMAND_MEMORY_MASTER 6u

static void die(const char *what)
{
	printf("FAILED: vfio: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The step that failed is *WHAT. */
int vfio_try_open(struct vfio *v, unsigned n, char *const *names, const char **what)
{
	memset(v, 0, sizeof(*v));
	*what = "/dev/vfio/vfio";
	v->container = open(*what, O_RDWR);
	if (v->container < 0)
		return errno;
	for (unsigned i = 0; i < n && i < VFIO_DEVICES; i++) {
		struct vfio_edu *e = &v->devices[v->nr_devices++];
		char path[64];
		char *device;

		snprintf(path, sizeof(path), "/dev/vfio/%ld", strtol(names[i], &device, 10));
		*what = "a group's file";
		e->fd = -1;
		e->group = open(path, O_RDWR);
		if (e->group < 0)
			return errno;
		*what = "VFIO_GROUP_SET_CONTAINER";
		if (ioctl(e->group, VFIO_GROUP_SET_CONTAINER, &v->container))
			return errno;
		*what = "VFIO_SET_IOMMU";
		if (i == 0 && ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
			return errno;
		*what = "VFIO_GROUP_GET_DEVICE_FD";
		e->fd = ioctl(e->group, VFIO_GROUP_GET_DEVICE_FD, device + 1);
		if (e->fd < 0)
			return errno;
	}
	return 0;
}

void vfio_open(struct vfio *v, unsigned n, char *const *names)
{
	const char *what;
	int error = vfio_try_open(v, n, names, &what);

	errno = error;
	if (error)
		die(what);
}

void vfio_close(struct vfio *v)
{
	for (unsigned i = 0; i < v->nr_devices; i++) {
		struct vfio_edu *e = &v->devices[i];

		if (e->bar)
			munmap((void *)(uintptr_t)e->bar, e->bar_size);
		if (e->fd >= 0)
			close(e->fd);
		if (e->group >= 0)
			close(e->group);
	}
	if (v->container >= 0)
		close(v->container);
}

uint8_t *vfio_memory(uint64_t size)
{
	uint8_t *m =
		mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		die("memory");
	m = (uint8_t *)(((uintptr_t)m + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
	memset(m, 1, size);
	if (mlock(m, size))
		die("mlock");
	return m;
}

static int map_with(struct vfio *v, void *memory, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return ioctl(v->container, VFIO_IOMMU_MAP_DMA, &map) ? errno : 0;
}

int vfio_map(struct vfio *v, void *memory, uint64_t iova, uint64_t size)
{
	return map_with(v, memory, iova, size, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
}

int vfio_map_read_only(struct vfio *v, void *memory, uint64_t iova, uint64_t size)
{
	return map_with(v, memory, iova, size, VFIO_DMA_MAP_FLAG_READ);
}

int vfio_unmap(struct vfio *v, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	if (ioctl(v->container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return errno;
	return unmap.size == size ? 0 : EIO;
}

bool vfio_edu_start(struct vfio *v, unsigned i)
{
	struct vfio_edu *e = &v->devices[i];
	struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
	struct vfio_region_info config = {.argsz = sizeof(config),
					  .index = VFIO_PCI_CONFIG_REGION_INDEX};
	uint32_t id = 0;
	uint16_t command = 0;

	if (ioctl(e->fd, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    ioctl(e->fd, VFIO_DEVICE_GET_REGION_INFO, &config))
		die("VFIO_DEVICE_GET_REGION_INFO");
	if (pread(e->fd, &id, sizeof(id), (off_t)config.offset) != sizeof(id) || id != EDU_ID)
		return false;
	if (pread(e->fd, &command, sizeof(command), (off_t)config.offset + PCI_COMMAND) !=
	    sizeof(command))
		die("configuration space");
	command |= PCI_COMMAND_MEMORY_MASTER;
	if (pwrite(e->fd, &command, sizeof(command), (off_t)config.offset + PCI_COMMAND) !=
	    sizeof(command))
		die("configuration space");
	e->bar_size = bar.size;
	e->bar = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd, (off_t)bar.offset);
	if (e->bar == MAP_FAILED)
		die("registers");
	return true;
}

static void put(struct vfio_edu *e, unsigned offset, uint64_t value)
{
	*(volatile uint64_t *)(e->bar + offset) = value;
}

static bool transfer(struct vfio_edu *e, uint64_t from, uint64_t to, uint32_t n, uint64_t command)
{
	struct timespec pause = {.tv_nsec = 2000000};

	put(e, EDU_DMA_SRC, from);
	put(e, EDU_DMA_DST, to);
	put(e, EDU_DMA_COUNT, n);
	put(e, EDU_DMA_CMD, command);
	/* The device waits for 100 ms before it does anything. */
	for (unsigned i = 0; i < 10000; i++) {
		if (!(*(volatile uint64_t *)(e->bar + EDU_DMA_CMD) & EDU_DMA_START))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

bool vfio_edu_read(struct vfio *v, unsigned i, uint64_t iova, uint32_t n)
{
	return transfer(&v->devices[i], iova, EDU_BUFFER, n, EDU_DMA_START);
}

bool vfio_edu_write(struct vfio *v, unsigned i, uint64_t iova, uint32_t n)
{
	return transfer(&v->devices[i], EDU_BUFFER, iova, n, EDU_DMA_START | EDU_DMA_FROM_DEVICE);
}
