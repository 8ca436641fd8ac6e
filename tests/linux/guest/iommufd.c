/* SPDX-License-Identifier: BSD-2-Clause */
#include "iommufd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void die(const char *what)
{
	printf("FAILED: nested: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? errno : 0;
}

int iommufd_open(void)
{
	int fd = open("/dev/iommu", O_RDWR);

	if (fd < 0)
		die("/dev/iommu");
	return fd;
}

/* Opens what has the name of the one file of FOLDER. */
static int open_device(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int fd = -1;

	while (d && fd < 0 && (e = readdir(d))) {
		char path[300];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", e->d_name);
		fd = open(path, O_RDWR);
	}
	if (d)
		closedir(d);
	return fd;
}

uint32_t iommufd_bind(int iommufd, struct vfio *v, unsigned i, const char *name)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	struct vfio_edu *e = &v->devices[i];
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", name);
	e->group = -1;
	e->fd = open_device(path);
	if (e->fd < 0)
		die(path);
	if (call(e->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		die("VFIO_DEVICE_BIND_IOMMUFD");
	if (v->nr_devices <= i)
		v->nr_devices = i + 1;
	return bind.out_devid;
}

int iommufd_attach(struct vfio *v, unsigned i, uint32_t id)
{
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = id};

	return call(v->devices[i].fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

int iommufd_detach(struct vfio *v, unsigned i)
{
	struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};

	return call(v->devices[i].fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

int iommufd_destroy(int iommufd, uint32_t id)
{
	struct iommu_destroy c = {.size = sizeof(c), .id = id};

	return call(iommufd, IOMMU_DESTROY, &c);
}

int iommufd_ioas(int iommufd, uint32_t *id)
{
	struct iommu_ioas_alloc c = {.size = sizeof(c)};
	int error = call(iommufd, IOMMU_IOAS_ALLOC, &c);

	*id = c.out_ioas_id;
	return error;
}

int iommufd_map(int iommufd, uint32_t ioas, void *memory, uint64_t iova, uint64_t size)
{
	struct iommu_ioas_map c = {
		.size = sizeof(c),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_READABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = size,
		.iova = iova,
	};

	return call(iommufd, IOMMU_IOAS_MAP, &c);
}

int iommufd_unmap(int iommufd, uint32_t ioas, uint64_t iova, uint64_t size)
{
	struct iommu_ioas_unmap c = {
		.size = sizeof(c), .ioas_id = ioas, .iova = iova, .length = size};
	int error = call(iommufd, IOMMU_IOAS_UNMAP, &c);

	return error ? error : c.length == size ? 0 : EIO;
}

int iommufd_ids(int iommufd, uint32_t device, uint32_t idr[4])
{
	struct iommu_hw_info_arm_smmuv3 info = {0};
	struct iommu_hw_info c = {
		.size = sizeof(c),
		.dev_id = device,
		.data_len = sizeof(info),
		.data_uptr = (uintptr_t)&info,
	};
	int error = call(iommufd, IOMMU_GET_HW_INFO, &c);

	if (!error && c.out_data_type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
		error = EPROTO;
	idr[0] = info.idr[0];
	idr[1] = info.idr[1];
	idr[2] = info.idr[3];
	idr[3] = info.idr[5];
	return error;
}

static int hwpt(int iommufd, struct iommu_hwpt_alloc *c, uint32_t *id)
{
	int error = call(iommufd, IOMMU_HWPT_ALLOC, c);

	*id = c->out_hwpt_id;
	return error;
}

int iommufd_parent(int iommufd, uint32_t device, uint32_t ioas, uint32_t *id)
{
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		.dev_id = device,
		.pt_id = ioas,
	};

	return hwpt(iommufd, &c, id);
}

int iommufd_viommu(int iommufd, uint32_t device, uint32_t parent, uint32_t *id)
{
	struct iommu_viommu_alloc c = {
		.size = sizeof(c),
		.type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		.dev_id = device,
		.hwpt_id = parent,
	};
	int error = call(iommufd, IOMMU_VIOMMU_ALLOC, &c);

	*id = c.out_viommu_id;
	return error;
}

int iommufd_vdevice(int iommufd, uint32_t viommu, uint32_t device, uint64_t name, uint32_t *id)
{
	struct iommu_vdevice_alloc c = {
		.size = sizeof(c),
		.viommu_id = viommu,
		.dev_id = device,
		.virt_id = name,
	};
	int error = call(iommufd, IOMMU_VDEVICE_ALLOC, &c);

	*id = c.out_vdevice_id;
	return error;
}

static int nested(int iommufd, uint32_t device, uint32_t viommu, uint64_t w0, uint64_t w1,
		  uint32_t flags, uint32_t faults, uint32_t *id)
{
	struct iommu_hwpt_arm_smmuv3 ste = {.ste = {w0, w1}};
	struct iommu_hwpt_alloc c = {
		.size = sizeof(c),
		.flags = flags,
		.dev_id = device,
		.pt_id = viommu,
		.data_type = IOMMU_HWPT_DATA_ARM_SMMUV3,
		.data_len = sizeof(ste),
		.data_uptr = (uintptr_t)&ste,
		.fault_id = faults,
	};

	return hwpt(iommufd, &c, id);
}

int iommufd_nested(int iommufd, uint32_t device, uint32_t viommu, uint64_t w0, uint64_t w1,
		   uint32_t *id)
{
	return nested(iommufd, device, viommu, w0, w1, 0, 0, id);
}

int iommufd_nested_with_faults(int iommufd, uint32_t device, uint32_t viommu, uint64_t w0,
			       uint64_t w1, uint32_t *id, uint32_t *queue)
{
	struct iommu_fault_alloc c = {.size = sizeof(c)};
	int error = call(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &c);

	*queue = c.out_fault_id;
	if (error)
		return error;
	close((int)c.out_fault_fd);
	return nested(iommufd, device, viommu, w0, w1, IOMMU_HWPT_FAULT_ID_VALID, c.out_fault_id,
		      id);
}

int iommufd_invalidate_as(int iommufd, uint32_t viommu, uint32_t type, uint32_t length,
			  const void *data, uint32_t n, uint32_t *done)
{
	struct iommu_hwpt_invalidate c = {
		.size = sizeof(c),
		.hwpt_id = viommu,
		.data_uptr = (uintptr_t)data,
		.data_type = type,
		.entry_len = length,
		.entry_num = n,
	};
	int error = call(iommufd, IOMMU_HWPT_INVALIDATE, &c);

	*done = c.entry_num;
	return error;
}

int iommufd_invalidate(int iommufd, uint32_t viommu, const uint64_t *commands, uint32_t n,
		       uint32_t *done)
{
	return iommufd_invalidate_as(iommufd, viommu, IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
				     sizeof(struct iommu_viommu_arm_smmuv3_invalidate), commands, n,
				     done);
}

int iommufd_events(int iommufd, uint32_t viommu, uint32_t *id, int *fd)
{
	struct iommu_veventq_alloc c = {
		.size = sizeof(c),
		.viommu_id = viommu,
		.type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
		.veventq_depth = 64,
	};
	int error = call(iommufd, IOMMU_VEVENTQ_ALLOC, &c);

	*id = c.out_veventq_id;
	*fd = (int)c.out_veventq_fd;
	return error;
}

bool iommufd_event(int fd, struct iommufd_event *e, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, wait_ms) == 1 && read(fd, e, sizeof(*e)) == sizeof(*e);
}
