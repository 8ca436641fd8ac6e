/* SPDX-License-Identifier: BSD-2-Clause */
/* Reader of the ACPI I/O Remapping Table (ARM DEN 0049): the order in which its parts are read. */
#include "iort.h"

static int read_each(struct iort *io)
{
	uint32_t i;
	int rc = 0;

	for (i = 0; i < io->n_nodes && !rc; i++)
		if (io->nodes[i].type == IORT_SMMU_V3 && !io->nodes[i].bad)
			rc = iort_read_smmu_v3(io, &io->nodes[i]);
	for (i = 0; i < io->n_nodes && !rc; i++) {
		const struct iort_node *node = &io->nodes[i];

		if (node->bad)
			continue;
		switch (node->type) {
		case IORT_ROOT_COMPLEX:
		case IORT_NAMED_COMPONENT:
			rc = iort_read_root(io, node);
			break;
		case IORT_RMR:
			rc = iort_read_rmr(io, node);
			break;
		default:
			rc = iort_read_other(io, node);
		}
	}
	return rc;
}

int smmu_topology_from_iort(const void *table, size_t size, unsigned how, struct smmu_topology *t,
			    char *err, size_t errlen)
{
	struct iort io = {.b = {.t = t, .how = how, .err = err, .errlen = errlen}};
	int rc;

	*t = (struct smmu_topology){0};
	rc = iort_check_header(&io, table, size);
	if (!rc)
		rc = iort_read_nodes(&io);
	if (!rc)
		rc = read_each(&io);
	if (!rc)
		rc = topology_finish(&io.b);
	topology_release(io.nodes);
	if (rc)
		smmu_topology_free(t);
	return rc;
}
