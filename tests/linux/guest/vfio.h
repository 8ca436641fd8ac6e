/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFIO type 1 with devices of QEMU's kind "edu", for programs that run in a guest: linux/vfio.h of the kernel is the interface,
 * docs/specs/edu of QEMU the device's.
 */
#ifndef SMMU_TESTS_LINUX_VFIO_H
#define SMMU_TESTS_LINUX_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#define VFIO_DEVICES 4u

struct vfio_edu {
	int group, fd;
	volatile uint8_t *bar; /* NULL until vfio_edu_start */
	uint64_t bar_size;
};

struct vfio {
	int container;
	unsigned nr_devices;
	struct vfio_edu devices[VFIO_DEVICES];
};

/*
 * Puts the groups of NAMES, each GROUP:DEVICE ("3:0000:00:02.0"), into one new container. Ends the program when that fails. The
 * file descriptors live until vfio_close.
 */
void vfio_open(struct vfio *v, unsigned n, char *const *names);

/* The same, but 0 or errno, and in *WHAT the step that failed; vfio_close is due in either case. */
int vfio_try_open(struct vfio *v, unsigned n, char *const *names, const char **what);

/* The devices leave the container, which goes. */
void vfio_close(struct vfio *v);

/* Memory of SIZE bytes (a multiple of 2 MiB), aligned to 2 MiB and present; never given back. */
uint8_t *vfio_memory(uint64_t size);

/* All return 0, or errno. */
int vfio_map(struct vfio *v, void *memory, uint64_t iova, uint64_t size);
int vfio_map_read_only(struct vfio *v, void *memory, uint64_t iova, uint64_t size);
int vfio_unmap(struct vfio *v, uint64_t iova, uint64_t size);

/* Lets device I be master of its bus, and maps its registers. False: it is no edu device. */
bool vfio_edu_start(struct vfio *v, unsigned i);

/*
 * DMA of N bytes (to 4,096): from IOVA into the device's buffer, or from there to IOVA. They return once the device says that it
 * has ended, whether or not the SMMU let it through; false: it did not end.
 */
bool vfio_edu_read(struct vfio *v, unsigned i, uint64_t iova, uint32_t n);
bool vfio_edu_write(struct vfio *v, unsigned i, uint64_t iova, uint32_t n);

#endif
