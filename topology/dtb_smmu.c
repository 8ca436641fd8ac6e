/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMMUs of a device tree: nodes compatible with "arm,smmu-v3". Others are told, no more. */
#include "dtb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 0x10000u
#define PAGE0_ONLY "cavium,cn9900-broken-page1-regspace"

/* Numbers of interrupts of a GIC: its specifiers begin with a type and a number. */
static const uint32_t gic_base[] = {32, 16, 4096, 1056}; /* SPI, PPI, extended SPI, extended PPI */

static int check_ncells(struct dtb *d, const struct dtb_level *bus)
{
	int addresses = bus->address_cells, sizes = bus->size_cells;

	if (addresses < 1 || addresses > 2 || sizes < 1 || sizes > 2)
		return DTB_LEAVE_OUT(
			d, 1,
			"an SMMU below a bus that has a bad #address-cells or #size-cells at "
			"\"%.*s\"; expected 1 or 2",
			(int)bus->path_length, d->path);
	return 1;
}

static uint64_t get_number(const fdt32_t *cells, int n)
{
	return n == 1 ? smmu_dtb_cell(cells, 0)
		      : (uint64_t)smmu_dtb_cell(cells, 0) << 32 | smmu_dtb_cell(cells, 1);
}

/* One bus up: 1, and *@p base is an address of the bus above; 0: left out; or negative. */
static int translate_one(struct dtb *d, const struct dtb_level *bus, uint64_t *base, uint64_t size)
{
	const fdt32_t *ranges = bus->ranges;
	int child = bus->address_cells, parent = bus[-1].address_cells;
	int stride, n = bus->ranges_length / 4;
	int rc;

	if (!ranges)
		return DTB_LEAVE_OUT(d, 1,
				     "no ranges at \"%.*s\"; expected the SMMU's registers to be "
				     "reachable",
				     (int)bus->path_length, d->path);
	if (!bus->ranges_length) /* the same addresses on both sides */
		return 1;
	rc = check_ncells(d, bus);
	if (rc > 0)
		rc = check_ncells(d, bus - 1);
	if (rc <= 0)
		return rc;
	stride = child + parent + bus->size_cells;
	if (bus->ranges_length % (4 * stride))
		return DTB_LEAVE_OUT(
			d, 1, "%d bytes of ranges at \"%.*s\"; expected a multiple of %d",
			bus->ranges_length, (int)bus->path_length, d->path, 4 * stride);
	for (; n; n -= stride, ranges += stride) {
		uint64_t start = get_number(ranges, child);
		uint64_t length = get_number(ranges + child + parent, bus->size_cells);

		if (*base >= start && length >= size && *base - start <= length - size) {
			*base = *base - start + get_number(ranges + child, parent);
			return 1;
		}
	}
	return DTB_LEAVE_OUT(
		d, 1, "address 0x%" PRIx64 " is in no ranges entry at \"%.*s\"; expected one",
		*base, (int)bus->path_length, d->path);
}

/* Registers, as the CPU sees them: 1; 0: left out; or negative. */
static int read_reg(struct dtb *d, const struct dtb_level *level, uint64_t *base, uint64_t *size)
{
	const struct dtb_level *bus = level - 1;
	uint64_t least = smmu_dtb_has(d, level->node, PAGE0_ONLY) ? PAGE_BYTES : 2 * PAGE_BYTES;
	const fdt32_t *reg;
	size_t n;
	int rc;

	if (!d->depth)
		return DTB_LEAVE_OUT(d, 1, "%s", "the root is an SMMUv3; expected a bus");
	rc = check_ncells(d, bus);
	if (rc <= 0)
		return rc;
	rc = 0;
	reg = smmu_dtb_cells(d, level->node, "reg", &n, &rc);
	if (rc)
		return rc;
	if (!n || n % (size_t)(bus->address_cells + bus->size_cells))
		return DTB_LEAVE_OUT(d, 1,
				     "reg has %zu cells; expected %d (address, size), once or more",
				     n, bus->address_cells + bus->size_cells);
	*base = get_number(reg, bus->address_cells);
	*size = get_number(reg + bus->address_cells, bus->size_cells);
	if (*size < least || *base + *size - 1 < *base)
		return DTB_LEAVE_OUT(d, 1,
				     "reg is 0x%" PRIx64 " bytes at 0x%" PRIx64
				     "; expected %s at least, below 2^64",
				     *size, *base,
				     least == PAGE_BYTES ? "a page of 64K" : "two 64K pages");
	rc = 1;
	for (; rc > 0 && bus > d->levels; bus--)
		rc = translate_one(d, bus, base, *size);
	return rc;
}

/* A list of strings becomes one, with blanks. */
static char *join(const char *list, int length)
{
	char *text = length > 0 ? malloc((size_t)length) : NULL;
	int i;

	if (!text)
		return NULL;
	memcpy(text, list, (size_t)length);
	text[length - 1] = '\0';
	for (i = 0; i + 1 < length; i++)
		if (!text[i])
			text[i] = ' ';
		else if (text[i] <= 0x20 || text[i] > 0x7e)
			text[i] = '?';
	return text;
}

static int tell(struct dtb *d, const char *kind, bool has_base, uint64_t base)
{
	struct smmu_topology_other *other;
	int rc;

	other = topology_add_other(&d->b, kind, d->path[0] ? d->path : "/", &rc);
	if (!other)
		return rc;
	other->has_base = has_base;
	other->base = base;
	return 0;
}

bool smmu_dtb_other_kind(const struct dtb *d, int node, const char **kind)
{
	static const struct {
		const char *compatible, *kind;
	} others[] = {
		{"arm,smmu-v3-pmcg", "PMCG"},
		{"arm,smmu-v2", "SMMUv2"},
		{"arm,mmu-500", "SMMUv2"},
		{"qcom,smmu-v2", "SMMUv2"},
		{"qcom,adreno-smmu", "SMMUv2"},
		{"cavium,smmu-v2", "SMMUv2"},
		{"marvell,ap806-smmu-500", "SMMUv2"},
		{"nvidia,smmu-500", "SMMUv2"},
		{"arm,mmu-401", "SMMUv1"},
		{"arm,mmu-400", "SMMUv1"},
		{"arm,smmu-v1", "SMMUv1"},
	};
	size_t i;

	for (i = 0; i < SMMU_ARRAY_SIZE(others); i++) {
		if (fdt_node_check_compatible(d->fdt, node, others[i].compatible) == 0) {
			*kind = others[i].kind;
			return true;
		}
	}
	return false;
}

int smmu_dtb_visit_smmu(struct dtb *d, const struct dtb_level *level, bool v3, unsigned *index)
{
	bool all = d->b.how & SMMU_TOPOLOGY_ALL;
	struct smmu_topology_smmu *smmu;
	struct dtb_wait *waits;
	uint64_t base = 0, size = 0;
	const char *kind, *list;
	int rc, length;

	*index = TOPOLOGY_NOWHERE;
	if (!v3)
		return smmu_dtb_other_kind(d, level->node, &kind) ? tell(d, kind, false, 0) : 0;
	if (!level->enabled && !all)
		return tell(d,
			    smmu_dtb_has_string(d, level->node, "status", "reserved")
				    ? "SMMUv3, reserved"
				    : "SMMUv3, disabled",
			    false, 0);
	rc = read_reg(d, level, &base, &size);
	if (rc <= 0)
		return rc;
	smmu = topology_add_smmu(&d->b, d->path, base, &rc);
	if (!smmu)
		return rc;
	*index = smmu->index;
	smmu->size = size;
	smmu->disabled = !level->enabled;
	smmu->page0_only = smmu_dtb_has(d, level->node, PAGE0_ONLY);
	smmu->coherent = level->coherent;
	list = fdt_getprop(d->fdt, level->node, "compatible", &length);
	if (list)
		smmu->compatible = join(list, length);
	rc = smmu_dtb_u32(d, level->node, "numa-node-id", &smmu->numa);
	smmu->has_numa = rc > 0;
	if (rc < 0)
		return rc;
	waits = topology_grow(d->waits, d->n_waits, sizeof(*waits));
	if (!waits)
		return topology_no_memory(&d->b);
	d->waits = waits;
	waits[d->n_waits++] = (struct dtb_wait){smmu->index, level->node, level->interrupt_parent};
	return 0;
}

/* ---- interrupts ---- */

/* The specifiers of a node's interrupts, one after the other. */
struct dtb_interrupts {
	const fdt32_t *cells;
	size_t n, at;
	bool extended;   /* each has the phandle of its controller in front */
	uint32_t parent; /* else all have this one; 0: it is not known */
};

/* The global number of the next interrupt: 1 with *@p gsiv, 0 unknown; -1: there is none, or what follows cannot be told. */
static int next_interrupt(const struct dtb *d, struct dtb_interrupts *in, uint32_t *gsiv)
{
	uint32_t phandle = in->parent, type;
	const struct dtb_phandle *to;
	const fdt32_t *specifier, *count;
	int length, cells = 3; /* a GIC's, where the tree does not say whose they are */

	if (in->extended) {
		if (in->at >= in->n)
			return -1;
		phandle = smmu_dtb_cell(in->cells, in->at++);
		if (!phandle) /* an entry that is left empty */
			return 0;
	}
	to = phandle ? smmu_dtb_phandle(d, phandle) : NULL;
	if (phandle) {
		if (!to)
			return -1;
		count = fdt_getprop(d->fdt, to->node, "#interrupt-cells", &length);
		if (!count || length != 4 || smmu_dtb_cell(count, 0) > 16)
			return -1;
		cells = (int)smmu_dtb_cell(count, 0);
	}
	if ((size_t)cells > in->n - in->at || in->at >= in->n)
		return -1;
	specifier = in->cells + in->at;
	in->at += (size_t)cells;
	/* Of another controller than a GIC the number is not known; that of a GIC has three cells or four. */
	if (cells < 3 || (to && fdt_getprop(d->fdt, to->node, "interrupt-map", NULL)))
		return 0;
	type = smmu_dtb_cell(specifier, 0);
	if (type >= SMMU_ARRAY_SIZE(gic_base))
		return 0;
	*gsiv = gic_base[type] + smmu_dtb_cell(specifier, 1);
	return 1;
}

static void read_interrupts(const struct dtb *d, const struct dtb_wait *w)
{
	static const char *const names[] = {"eventq", "priq", "gerror", "cmdq-sync"};
	struct smmu_topology_smmu *smmu = &d->b.t->smmus[w->smmu];
	uint32_t *const gsivs[] = {&smmu->event_gsiv, &smmu->pri_gsiv, &smmu->gerror_gsiv,
				   &smmu->sync_gsiv};
	struct dtb_interrupts in = {.parent = w->interrupt_parent};
	int length, i, k, found;
	const char *name;
	uint32_t gsiv;

	/* Where both are there, the extended one counts. */
	in.cells = fdt_getprop(d->fdt, w->node, "interrupts-extended", &length);
	in.extended = in.cells != NULL;
	if (!in.cells)
		in.cells = fdt_getprop(d->fdt, w->node, "interrupts", &length);
	if (!in.cells)
		return;
	in.n = (size_t)length / 4;
	for (i = 0; i < 16; i++) {
		found = next_interrupt(d, &in, &gsiv);
		if (found < 0)
			return;
		name = fdt_stringlist_get(d->fdt, w->node, "interrupt-names", i, NULL);
		if (!found || !name)
			continue;
		if (!strcmp(name, "combined")) {
			smmu->has_gsivs = smmu->combined = true;
			for (k = 0; k < (int)SMMU_ARRAY_SIZE(gsivs); k++)
				*gsivs[k] = gsiv;
			return;
		}
		for (k = 0; k < (int)SMMU_ARRAY_SIZE(names); k++) {
			if (!strcmp(name, names[k])) {
				smmu->has_gsivs = true;
				*gsivs[k] = gsiv;
			}
		}
	}
}

void smmu_dtb_read_interrupts(struct dtb *d)
{
	size_t i;

	for (i = 0; i < d->n_waits; i++)
		read_interrupts(d, &d->waits[i]);
}
