/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain and a virtual SMMU of iommufd are left when their device is given back.
 *
 * usage: nested_keep FILE DEVICE
 * Makes FILE when that is so, and waits to be ended. Exit status: 1 something failed, and "FAILED: kept: …" was said.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"

int main(int argc, char **argv)
{
	uint32_t device, ioas, parent, viommu;
	struct vfio vfio = {0};
	int iommufd, error;
	FILE *f;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	iommufd = iommufd_open();
	device = iommufd_bind(iommufd, &vfio, 0, argv[2]);
	error = iommufd_ioas(iommufd, &ioas);
	if (!error)
		error = iommufd_parent(iommufd, device, ioas, &parent);
	if (!error)
		error = iommufd_viommu(iommufd, device, parent, &viommu);
	close(vfio.devices[0].fd);
	f = error ? NULL : fopen(argv[1], "w");
	if (!f) {
		printf("FAILED: kept: a domain and a virtual SMMU: %s\n", strerror(error));
		return 1;
	}
	fclose(f);
	pause();
	return 0;
}
