/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of a node, and who has a phandle: what all readers of a device tree stand on. */
#include "dtb.h"

#include <string.h>

const fdt32_t *smmu_dtb_cells(struct dtb *d, int node, const char *name, size_t *n, int *rc)
{
	int length;
	const fdt32_t *cells = fdt_getprop(d->fdt, node, name, &length);

	*n = 0;
	if (!cells)
		return NULL;
	if (length % 4)
		*rc = DTB_LEAVE_OUT(d, 1, "%s has %d bytes; expected a multiple of 4", name,
				    length);
	*n = (size_t)length / 4;
	return cells;
}

int smmu_dtb_u32(struct dtb *d, int node, const char *name, uint32_t *value)
{
	int length;
	const fdt32_t *cells = fdt_getprop(d->fdt, node, name, &length);

	if (!cells)
		return 0;
	if (length != 4)
		return DTB_LEAVE_OUT(d, 1, "%s has %d bytes; expected 4", name, length);
	*value = smmu_dtb_cell(cells, 0);
	return 1;
}

bool smmu_dtb_has(const struct dtb *d, int node, const char *name)
{
	return fdt_getprop(d->fdt, node, name, NULL) != NULL;
}

bool smmu_dtb_has_string(const struct dtb *d, int node, const char *name, const char *string)
{
	int length;
	const char *value = fdt_getprop(d->fdt, node, name, &length);

	return value && (size_t)length == strlen(string) + 1 && !strcmp(value, string);
}

const struct dtb_phandle *smmu_dtb_phandle(const struct dtb *d, uint32_t phandle)
{
	size_t low = 0, high = d->n_phandles;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->phandles[middle].phandle < phandle)
			low = middle + 1;
		else
			high = middle;
	}
	return low < d->n_phandles && d->phandles[low].phandle == phandle ? &d->phandles[low]
									  : NULL;
}
