/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommufd and VFIO's device files, for programs that give edu devices to guests with an SMMU of their own: linux/iommufd.h and
 * linux/vfio.h of the kernel are the interface. Functions that return an int return 0 or errno; *ID gets what was made.
 */
#ifndef SMMU_TESTS_LINUX_IOMMUFD_H
#define SMMU_TESTS_LINUX_IOMMUFD_H

#include <stdbool.h>
#include <stdint.h>

#include "vfio.h"

/* An event as it comes out of a virtual event queue. */
struct iommufd_event {
	uint32_t flags, sequence;
	uint64_t w[4];
};

/* /dev/iommu. Ends the program when it is not there. */
int iommufd_open(void);

/* Opens the file of the PCI device NAME as device I of V, and binds it to IOMMUFD. Ends the program when that fails. */
uint32_t iommufd_bind(int iommufd, struct vfio *v, unsigned i, const char *name);

/* The device is in what ID names; in nothing. */
int iommufd_attach(struct vfio *v, unsigned i, uint32_t id);
int iommufd_detach(struct vfio *v, unsigned i);

int iommufd_destroy(int iommufd, uint32_t id);
int iommufd_ioas(int iommufd, uint32_t *id);
int iommufd_map(int iommufd, uint32_t ioas, void *memory, uint64_t iova, uint64_t size);
int iommufd_unmap(int iommufd, uint32_t ioas, uint64_t iova, uint64_t size);

/* IDR0, 1, 3 and 5, as a guest may be shown them. */
int iommufd_ids(int iommufd, uint32_t device, uint32_t idr[4]);
int iommufd_parent(int iommufd, uint32_t device, uint32_t ioas, uint32_t *id);
int iommufd_viommu(int iommufd, uint32_t device, uint32_t parent, uint32_t *id);
int iommufd_vdevice(int iommufd, uint32_t viommu, uint32_t device, uint64_t name, uint32_t *id);
int iommufd_nested(int iommufd, uint32_t device, uint32_t viommu, uint64_t w0, uint64_t w1,
		   uint32_t *id);
/* The same with a queue for page requests, which gets the id QUEUE. */
int iommufd_nested_with_faults(int iommufd, uint32_t device, uint32_t viommu, uint64_t w0,
			       uint64_t w1, uint32_t *id, uint32_t *queue);

/* N commands of two words each; *DONE gets how many the kernel says were done. */
int iommufd_invalidate(int iommufd, uint32_t viommu, const uint64_t *commands, uint32_t n,
		       uint32_t *done);
/* The same with another type of data, or another length of an entry. */
int iommufd_invalidate_as(int iommufd, uint32_t viommu, uint32_t type, uint32_t length,
			  const void *data, uint32_t n, uint32_t *done);

/* A virtual event queue; *FD is read for events. */
int iommufd_events(int iommufd, uint32_t viommu, uint32_t *id, int *fd);
/* The next event, for which it waits WAIT_MS at most. */
bool iommufd_event(int fd, struct iommufd_event *e, int wait_ms);

#endif
