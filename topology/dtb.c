/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of flattened device trees: the structure. Properties are read in dtb_props.c, what SMMUs say in
 * dtb_smmu.c, who reaches them in dtb_roots.c.
 *
 * libfdt checks the structure of the whole blob first; after that this file only has to distrust
 * what properties say. The tree is walked twice, front to back: first for the SMMUs and every
 * phandle, then for the devices that refer to them.
 */
#include "dtb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DTB_MAX_NAME 255 /* of a property; the specification has 31 */
#define DTB_HEADER_BYTES 40u

#define BAD(d, offset, fmt, ...) \
	topology_fail(&(d)->b, -SMMU_EINVAL, "offset 0x%zx: " fmt, (size_t)(offset), __VA_ARGS__)

/* The path of the node of @p depth goes behind that of the node above. What is not printable becomes a question mark. */
static int append_name(struct dtb *d, const struct dtb_level *up, const char *name, int length)
{
	size_t at = up ? up->path_length : 0, room = sizeof(d->path) - at;
	int i, rc = 0;

	d->path[at] = '\0';
	/* The root's path is "/", or rather "" when something follows. */
	if (!up)
		return 0;
	if ((size_t)length + 2 > room) {
		length = room > 2 ? (int)room - 2 : 0;
		rc = d->second
			     ? 0
			     : DTB_WARN(d,
					"a name below is too long; expected a path below %d bytes",
					DTB_MAX_PATH);
	}
	for (i = 0; i < length && !rc; i++)
		if (!d->second && (name[i] <= 0x20 || name[i] > 0x7e))
			rc = DTB_WARN(d,
				      "byte 0x%02x in the name of a node below; expected printable "
				      "ASCII",
				      (unsigned char)name[i]);
	if (rc)
		return rc;
	if (room < 2)
		return 0;
	d->path[at++] = '/';
	for (i = 0; i < length; i++)
		d->path[at++] = (char)(name[i] <= 0x20 || name[i] > 0x7e ? '?' : name[i]);
	d->path[at] = '\0';
	return 0;
}

/* Put the node that the walk met at @p depth on the stack of levels: 1; 0: it is left out, with all below; or negative. */
static int enter(struct dtb *d, int node, int depth)
{
	const struct dtb_level *up = depth ? &d->levels[depth - 1] : NULL;
	struct dtb_level *level;
	const fdt32_t *parent;
	int length = 0, rc;
	const char *name = fdt_get_name(d->fdt, node, &length);

	d->node = node;
	if (depth >= DTB_MAX_DEPTH) {
		rc = d->too_deep
			     ? 0
			     : DTB_LEAVE_OUT(d, 1,
					     "a node below is nested too deep; expected at most "
					     "%d levels",
					     DTB_MAX_DEPTH);
		d->too_deep = true;
		return rc;
	}
	/* The whole of the structure was checked before: each node has a name. */
	rc = append_name(d, up, name ? name : "", name ? length : 0);
	if (rc)
		return rc;
	d->depth = depth;
	level = &d->levels[depth];
	level->node = node;
	level->path_length = strlen(d->path);
	level->enabled = (!up || up->enabled) && (!smmu_dtb_has(d, node, "status") ||
						  smmu_dtb_has_string(d, node, "status", "okay") ||
						  smmu_dtb_has_string(d, node, "status", "ok"));
	level->coherent = up && up->coherent;
	if (smmu_dtb_has(d, node, "dma-coherent"))
		level->coherent = true;
	else if (smmu_dtb_has(d, node, "dma-noncoherent"))
		level->coherent = false;
	level->pci = smmu_dtb_has_string(d, node, "device_type", "pci");
	level->below_pci = up && (up->below_pci || up->pci);
	level->address_cells = fdt_address_cells(d->fdt, node);
	level->size_cells = fdt_size_cells(d->fdt, node);
	level->interrupt_parent = up ? up->interrupt_parent : 0;
	parent = fdt_getprop(d->fdt, node, "interrupt-parent", &length);
	if (parent && length == 4)
		level->interrupt_parent = smmu_dtb_cell(parent, 0);
	level->ranges = fdt_getprop(d->fdt, node, "ranges", &level->ranges_length);
	return 1;
}

/* Call @p visit for each node of the tree, parents first. */
static int walk(struct dtb *d, int (*visit)(struct dtb *d, const struct dtb_level *level))
{
	int node, rc, depth = -1;

	for (node = fdt_next_node(d->fdt, -1, &depth); node >= 0 && depth >= 0;
	     node = fdt_next_node(d->fdt, node, &depth)) {
		rc = enter(d, node, depth);
		if (rc > 0)
			rc = visit(d, &d->levels[depth]);
		if (rc)
			return rc;
	}
	if (node < 0 && node != -FDT_ERR_NOTFOUND)
		return BAD(d, 0, "libfdt says %s; expected the tree to end", fdt_strerror(node));
	return 0;
}

/* First walk: SMMUs, and who answers to which phandle. */
static int visit_first(struct dtb *d, const struct dtb_level *level)
{
	struct dtb_phandle *phandles,
		made = {.node = level->node, .smmu = TOPOLOGY_NOWHERE, .cells = -1};
	uint32_t cells;
	int rc;

	made.v3 = !fdt_node_check_compatible(d->fdt, level->node, "arm,smmu-v3");
	rc = smmu_dtb_visit_smmu(d, level, made.v3, &made.smmu);
	if (rc)
		return rc;
	made.phandle = fdt_get_phandle(d->fdt, level->node);
	if (!made.phandle)
		return 0;
	rc = smmu_dtb_u32(d, level->node, "#iommu-cells", &cells);
	if (rc < 0)
		return rc;
	if (rc && cells > 16) {
		rc = DTB_LEAVE_OUT(d, 1, "#iommu-cells is %" PRIu32 "; expected at most 16", cells);
		if (rc)
			return rc;
	} else if (rc) {
		made.cells = (int)cells;
	}
	phandles = topology_grow(d->phandles, d->n_phandles, sizeof(*phandles));
	if (!phandles)
		return topology_no_memory(&d->b);
	d->phandles = phandles;
	phandles[d->n_phandles++] = made;
	return 0;
}

static int compare_phandle(const void *a, const void *b)
{
	const struct dtb_phandle *x = a, *y = b;

	if (x->phandle != y->phandle)
		return x->phandle > y->phandle ? 1 : -1;
	return (x->node > y->node) - (x->node < y->node);
}

/* Where several nodes have one phandle, the first of them in the tree has it. */
static int sort_phandles(struct dtb *d)
{
	size_t i, n = 0;
	int rc = 0;

	if (d->n_phandles)
		qsort(d->phandles, d->n_phandles, sizeof(*d->phandles), compare_phandle);
	for (i = 0; i < d->n_phandles && !rc; i++) {
		if (n && d->phandles[i].phandle == d->phandles[n - 1].phandle)
			rc = topology_warn(&d->b,
					   "offset 0x%x: phandle 0x%" PRIx32
					   " is that of another node too; expected one",
					   smmu_dtb_offset(d, d->phandles[i].node),
					   d->phandles[i].phandle);
		else
			d->phandles[n++] = d->phandles[i];
	}
	d->n_phandles = n;
	return rc;
}

/*
 * libfdt measures the name of a property each time it meets one: many properties that share a huge
 * name would take for ever.
 */
static int check_names(struct dtb *d)
{
	const char *strings = (const char *)d->fdt + fdt_off_dt_strings(d->fdt);
	size_t i, length = 0;

	for (i = 0; i < fdt_size_dt_strings(d->fdt); i++) {
		length = strings[i] ? length + 1 : 0;
		if (length > DTB_MAX_NAME)
			return BAD(d, fdt_off_dt_strings(d->fdt) + i,
				   "the name of a property goes on; expected at most %d bytes",
				   DTB_MAX_NAME);
	}
	return 0;
}

static int check_blob(struct dtb *d, size_t size)
{
	const uint8_t *p = d->fdt;
	int rc;

	if (size < DTB_HEADER_BYTES)
		return BAD(d, size, "the device tree ends; expected a header of %u bytes",
			   DTB_HEADER_BYTES);
	if (fdt_magic(p) != FDT_MAGIC)
		return BAD(d, 0, "magic is %02x %02x %02x %02x; expected d0 0d fe ed", p[0], p[1],
			   p[2], p[3]);
	if (fdt_totalsize(p) > size)
		return BAD(d, 4,
			   "the device tree's length is %u; expected at most %zu (what is there)",
			   fdt_totalsize(p), size);
	if (fdt_version(p) < 16)
		return BAD(d, 20, "version %u; expected at least 16", fdt_version(p));
	rc = fdt_check_header(p);
	if (!rc) {
		rc = check_names(d);
		if (rc)
			return rc;
		rc = fdt_check_full(p, size);
	}
	if (rc)
		return BAD(d, 0, "libfdt says %s; expected a sound device tree", fdt_strerror(rc));
	return 0;
}

/* What is to be merged into another tree has no SMMUs of its own yet. */
static int check_overlay(struct dtb *d)
{
	int node = fdt_path_offset(d->fdt, "/fragment@0");

	if (fdt_path_offset(d->fdt, "/__fixups__") < 0 &&
	    (node < 0 || fdt_subnode_offset(d->fdt, node, "__overlay__") < 0))
		return 0;
	return topology_fail(&d->b, -SMMU_EINVAL,
			     "this is an overlay of a device tree; expected a whole one: apply it "
			     "first (fdtoverlay -i BASE.dtb -o WHOLE.dtb OVERLAY.dtbo)");
}

int smmu_topology_from_dtb(const void *fdt, size_t size, unsigned how, struct smmu_topology *t,
			   char *err, size_t errlen)
{
	struct dtb d = {.b = {.t = t, .how = how, .err = err, .errlen = errlen}};
	void *aligned = NULL;
	int rc;

	memset(t, 0, sizeof(*t));
	/* libfdt wants the blob on eight bytes. */
	if ((uintptr_t)fdt & 7) {
		aligned = malloc(size ? size : 1);
		if (!aligned)
			return topology_no_memory(&d.b);
		fdt = memcpy(aligned, fdt, size);
	}
	d.fdt = fdt;
	rc = check_blob(&d, size);
	if (!rc)
		rc = check_overlay(&d);
	if (!rc)
		rc = walk(&d, visit_first);
	if (!rc)
		rc = sort_phandles(&d);
	if (!rc) {
		smmu_dtb_read_interrupts(&d);
		d.second = true;
		rc = walk(&d, smmu_dtb_visit_root);
	}
	if (!rc)
		rc = topology_finish(&d.b);
	free(d.phandles);
	free(d.waits);
	free(aligned);
	if (rc)
		smmu_topology_free(t);
	return rc;
}
