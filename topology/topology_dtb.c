/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of flattened device trees: the structure, and the SMMUs, which are nodes compatible with
 * "arm,smmu-v3". Who reaches them is found in topology_dtb_roots.c.
 *
 * libfdt checks the structure of the whole blob first; after that this file only has to distrust
 * what properties say. The tree is walked twice, front to back: first for the SMMUs and every
 * phandle, then for the devices that refer to them.
 */
#include "topology_dtb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DTB_MAX_NAME 255 /* of a property; the specification has 31 */
#define DTB_HEADER_BYTES 40u

#define BAD(d, offset, fmt, ...)                                                      \
	smmu_topology_fail((d)->err, (d)->errlen, -SMMU_EINVAL, "offset 0x%zx: " fmt, \
			   (size_t)(offset), __VA_ARGS__)

const fdt32_t *smmu_dtb_cells(struct dtb *d, int node, const char *name, size_t *n, int *rc)
{
	int length;
	const fdt32_t *cells = fdt_getprop(d->fdt, node, name, &length);

	*n = 0;
	if (!cells)
		return NULL;
	if (length % 4) {
		*rc = DTB_FAIL(d, "%s has %d bytes; expected a multiple of 4", name, length);
		return NULL;
	}
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
		return DTB_FAIL(d, "%s has %d bytes; expected 4", name, length);
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

/* Put the node that the walk met at @p depth on the stack of levels. */
static int enter(struct dtb *d, int node, int depth)
{
	const struct dtb_level *up = depth ? &d->levels[depth - 1] : NULL;
	struct dtb_level *level;
	size_t at = up ? up->path_length : 0;
	int i, length = 0;
	const char *name = fdt_get_name(d->fdt, node, &length);

	d->node = node;
	d->path[at] = '\0';
	if (depth >= DTB_MAX_DEPTH)
		return DTB_FAIL(d, "a node below is nested too deep; expected at most %d levels",
				DTB_MAX_DEPTH);
	if (!name)
		return DTB_FAIL(d, "a node below has no name (%s); expected one",
				fdt_strerror(length));
	for (i = 0; i < length; i++)
		if (name[i] <= 0x20 || name[i] > 0x7e)
			return DTB_FAIL(
				d,
				"byte 0x%02x in the name of a node below; expected printable "
				"ASCII",
				(unsigned char)name[i]);
	/* The root's path is "/", or rather "" when something follows. */
	if (up && snprintf(d->path + at, sizeof(d->path) - at, "/%s", name) >=
			  (int)(sizeof(d->path) - at))
		return DTB_FAIL(d, "is too long; expected a path below %d bytes", DTB_MAX_PATH);

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
	level->ranges = fdt_getprop(d->fdt, node, "ranges", &level->ranges_length);
	return 0;
}

/* Call @p visit for each node of the tree, parents first. */
static int walk(struct dtb *d, int (*visit)(struct dtb *d, const struct dtb_level *level))
{
	int node, rc, depth = -1;

	for (node = fdt_next_node(d->fdt, -1, &depth); node >= 0 && depth >= 0;
	     node = fdt_next_node(d->fdt, node, &depth)) {
		rc = enter(d, node, depth);
		if (!rc)
			rc = visit(d, &d->levels[depth]);
		if (rc)
			return rc;
	}
	if (node < 0 && node != -FDT_ERR_NOTFOUND)
		return DTB_FAIL(d, "the tree cannot be followed (%s); expected it to end",
				fdt_strerror(node));
	return 0;
}

/* An address or a size that children of @p bus have takes one or two cells, or it would not fit. */
static int check_ncells(struct dtb *d, const struct dtb_level *bus)
{
	int addresses = bus->address_cells, sizes = bus->size_cells;

	if (addresses < 1 || addresses > 2 || sizes < 1 || sizes > 2)
		return DTB_FAIL(
			d,
			"an SMMU below a bus that has a bad #address-cells or #size-cells at "
			"\"%.*s\"; expected 1 or 2",
			(int)bus->path_length, d->path);
	return 0;
}

static uint64_t get_number(const fdt32_t *cells, int n)
{
	return n == 1 ? smmu_dtb_cell(cells, 0)
		      : (uint64_t)smmu_dtb_cell(cells, 0) << 32 | smmu_dtb_cell(cells, 1);
}

/* Follow `ranges` of each bus above the current node, so that its @p base becomes an address of the
 * CPU. */
static int translate(struct dtb *d, uint64_t *base, uint64_t size)
{
	const struct dtb_level *bus;
	int rc;

	for (bus = &d->levels[d->depth - 1]; bus > d->levels; bus--) {
		const fdt32_t *ranges = bus->ranges;
		int child = bus->address_cells, parent = bus[-1].address_cells;
		int stride, n = bus->ranges_length / 4;

		if (!ranges)
			return DTB_FAIL(
				d,
				"no ranges at \"%.*s\"; expected the SMMU's registers to be "
				"reachable",
				(int)bus->path_length, d->path);
		if (!bus->ranges_length) /* the same addresses on both sides */
			continue;
		rc = check_ncells(d, bus);
		if (!rc)
			rc = check_ncells(d, bus - 1);
		if (rc)
			return rc;
		stride = child + parent + bus->size_cells;
		if (bus->ranges_length % (4 * stride))
			return DTB_FAIL(
				d, "%d bytes of ranges at \"%.*s\"; expected a multiple of %d",
				bus->ranges_length, (int)bus->path_length, d->path, 4 * stride);
		for (; n; n -= stride, ranges += stride) {
			uint64_t start = get_number(ranges, child);
			uint64_t length = get_number(ranges + child + parent, bus->size_cells);

			if (*base >= start && length >= size && *base - start <= length - size) {
				*base = *base - start + get_number(ranges + child, parent);
				break;
			}
		}
		if (!n)
			return DTB_FAIL(d,
					"address 0x%" PRIx64 " is in no ranges entry at \"%.*s\"; "
					"expected one",
					*base, (int)bus->path_length, d->path);
	}
	return 0;
}

/*
 * The interrupts that a GIC has: cells of type, number, flags, in the order of interrupt-names. An
 * SPI (type 0) counts from 32. Anything else leaves the numbers unknown.
 */
static void read_interrupts(struct dtb *d, struct smmu_topology_smmu *smmu, int node)
{
	static const char *const names[] = {"eventq", "priq", "gerror", "cmdq-sync"};
	uint32_t *const gsivs[] = {&smmu->event_gsiv, &smmu->pri_gsiv, &smmu->gerror_gsiv,
				   &smmu->sync_gsiv};
	int i, at, length, count = fdt_stringlist_count(d->fdt, node, "interrupt-names");
	const fdt32_t *cells = fdt_getprop(d->fdt, node, "interrupts", &length);

	if (!cells || count <= 0 || length != count * 12)
		return;
	smmu->has_gsivs = true;
	for (i = 0; i < (int)SMMU_ARRAY_SIZE(names); i++) {
		at = fdt_stringlist_search(d->fdt, node, "interrupt-names", names[i]);
		if (at >= 0 && smmu_dtb_cell(cells, (size_t)at * 3) == 0)
			*gsivs[i] = 32 + smmu_dtb_cell(cells, (size_t)at * 3 + 1);
	}
}

static int read_smmu(struct dtb *d, const struct dtb_level *level, unsigned *index)
{
	const struct dtb_level *bus = level - 1;
	struct smmu_topology_smmu *smmu;
	const fdt32_t *reg;
	int rc = 0;
	size_t n;

	if (!d->depth)
		return DTB_FAIL(d, "%s", "the root is an SMMUv3; expected a bus");
	smmu = smmu_topology_add_smmu(d->t, d->path, &rc, d->err, d->errlen);
	if (!smmu)
		return rc;
	*index = smmu->index;
	reg = smmu_dtb_cells(d, level->node, "reg", &n, &rc);
	if (rc)
		return rc;
	rc = check_ncells(d, bus);
	if (rc)
		return rc;
	if (!n || n % (size_t)(bus->address_cells + bus->size_cells))
		return DTB_FAIL(d, "reg has %zu cells; expected %d (address, size), once or more",
				n, bus->address_cells + bus->size_cells);
	smmu->base = get_number(reg, bus->address_cells);
	smmu->size = get_number(reg + bus->address_cells, bus->size_cells);
	if (smmu->size < 0x20000 || smmu->base + smmu->size - 1 < smmu->base)
		return DTB_FAIL(d,
				"reg is 0x%" PRIx64 " bytes at 0x%" PRIx64
				"; expected two 64K pages at least, below 2^64",
				smmu->size, smmu->base);
	rc = translate(d, &smmu->base, smmu->size);
	if (rc)
		return rc;
	smmu->coherent = level->coherent;
	read_interrupts(d, smmu, level->node);
	rc = smmu_dtb_u32(d, level->node, "numa-node-id", &smmu->numa);
	smmu->has_numa = rc > 0;
	return rc < 0 ? rc : 0;
}

/* First walk: SMMUs, and who answers to which phandle. */
static int visit_smmu(struct dtb *d, const struct dtb_level *level)
{
	struct dtb_phandle *phandles, *entry,
		made = {.node = level->node, .smmu = PHANDLE_NOT_V3, .cells = -1};
	uint32_t cells;
	int rc;

	if (!fdt_node_check_compatible(d->fdt, level->node, "arm,smmu-v3")) {
		made.smmu = PHANDLE_V3_DISABLED;
		rc = level->enabled ? read_smmu(d, level, &made.smmu) : 0;
		if (rc)
			return rc;
	}
	made.phandle = fdt_get_phandle(d->fdt, level->node);
	if (!made.phandle)
		return 0;
	rc = smmu_dtb_u32(d, level->node, "#iommu-cells", &cells);
	if (rc < 0)
		return rc;
	if (rc && cells > 16)
		return DTB_FAIL(d, "#iommu-cells is %" PRIu32 "; expected at most 16", cells);
	if (rc)
		made.cells = (int)cells;

	phandles = d->phandles;
	if (!(d->n_phandles & (d->n_phandles - 1)))
		phandles = reallocarray(phandles, d->n_phandles ? 2 * d->n_phandles : 1,
					sizeof(*phandles));
	if (!phandles)
		return smmu_topology_fail(d->err, d->errlen, -SMMU_ENOMEM, "out of memory");
	d->phandles = phandles;
	entry = &phandles[d->n_phandles++];
	*entry = made;
	return 0;
}

static int compare_phandle(const void *a, const void *b)
{
	const struct dtb_phandle *x = a, *y = b;

	return (x->phandle > y->phandle) - (x->phandle < y->phandle);
}

static int sort_phandles(struct dtb *d)
{
	size_t i;

	if (d->n_phandles)
		qsort(d->phandles, d->n_phandles, sizeof(*d->phandles), compare_phandle);
	for (i = 1; i < d->n_phandles; i++)
		if (d->phandles[i].phandle == d->phandles[i - 1].phandle)
			return BAD(d, smmu_dtb_offset(d, d->phandles[i].node),
				   "phandle 0x%" PRIx32
				   " is that of another node too; expected one",
				   d->phandles[i].phandle);
	return 0;
}

const struct dtb_phandle *smmu_dtb_phandle(const struct dtb *d, uint32_t phandle)
{
	const struct dtb_phandle key = {.phandle = phandle};

	if (!d->n_phandles)
		return NULL;
	return bsearch(&key, d->phandles, d->n_phandles, sizeof(key), compare_phandle);
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

int smmu_topology_from_dtb(const void *fdt, size_t size, struct smmu_topology *t, char *err,
			   size_t errlen)
{
	struct dtb d = {.t = t, .err = err, .errlen = errlen};
	void *aligned = NULL;
	int rc = 0;

	memset(t, 0, sizeof(*t));
	/* libfdt wants the blob on eight bytes. */
	if ((uintptr_t)fdt & 7) {
		aligned = malloc(size ? size : 1);
		if (!aligned)
			return smmu_topology_fail(err, errlen, -SMMU_ENOMEM, "out of memory");
		fdt = memcpy(aligned, fdt, size);
	}
	d.fdt = fdt;
	rc = check_blob(&d, size);
	if (!rc)
		rc = walk(&d, visit_smmu);
	if (!rc)
		rc = sort_phandles(&d);
	if (!rc)
		rc = walk(&d, smmu_dtb_visit_root);
	if (!rc)
		rc = smmu_topology_finish(t, err, errlen);
	free(d.phandles);
	free(aligned);
	if (rc)
		smmu_topology_free(t);
	return rc;
}
