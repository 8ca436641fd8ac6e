// SPDX-License-Identifier: BSD-2-Clause
/*
 * Streams that firmware has set going: a framebuffer, a controller that keeps its queues in memory. The IORT (RMR nodes) or the
 * device tree (memory-region with iommu-addresses) says which, and the memory that they may use, one to one. They go on in that
 * memory, and nowhere else, from before the SMMU is enabled until their device is attached to its default domain, in which the
 * kernel's core has mapped the same memory (get_resv_regions, IOMMU_RESV_DIRECT).
 */
#include "smmu_module.h"

#include <linux/acpi_iort.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_pci.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <smmuv3/handover.h>

/* A table may be wrong: so many streams, or regions of all of them, nobody has. */
#define MOST 4096u

struct region {
	u32 stream;
	int prot; /**< IOMMU_… */
	u64 start, size;
};

struct regions {
	struct region *r;
	u32 nr, room;
};

/** One for each stream. */
struct smmu_linux_reserved {
	struct smmu_domain domain;
};

static int add(struct regions *all, u32 stream, u64 start, u64 size, int prot)
{
	if (all->nr == all->room) {
		u32 room = max(16u, 2 * all->room);
		struct region *r;

		if (room > MOST)
			return -E2BIG;
		r = krealloc_array(all->r, room, sizeof(*r), GFP_KERNEL);
		if (!r)
			return -ENOMEM;
		all->r = r;
		all->room = room;
	}
	all->r[all->nr++] = (struct region){stream, prot, start, size};
	return 0;
}

/* ---- ACPI ---- */

static int from_iort(struct smmu_linux_instance *s, struct regions *all)
{
	struct fwnode_handle *node = dev_fwnode(s->dev);
	struct iommu_resv_region *r;
	LIST_HEAD(list);
	int error = 0;
	u32 i;

	iort_get_rmr_sids(node, &list);
	list_for_each_entry(r, &list, list)
	{
		const struct iommu_iort_rmr_data *rmr =
			container_of(r, struct iommu_iort_rmr_data, rr);

		for (i = 0; i < rmr->num_sids && !error; i++)
			error = add(all, rmr->sids[i], r->start, r->length, r->prot);
	}
	iort_put_rmr_sids(node, &list);
	return error;
}

/* ---- device tree ---- */

/** Its bridge's "iommu-map" leads a PCI function to the SMMU @p smmu, by this StreamID. */
static bool pci_stream(struct device_node *node, const struct device_node *smmu, u32 *stream)
{
	struct device_node *bridge = of_get_parent(node), *target = NULL;
	bool found = false;
	u32 reg;

	while (bridge && !of_property_present(bridge, "iommu-map"))
		bridge = of_get_next_parent(bridge);
	/* PCI Bus Binding, 2.2.1.1: bus, device and function. */
	if (bridge && !of_property_read_u32(node, "reg", &reg))
		found = !smmu_linux_map_id(bridge, reg >> 8 & 0xffff, &target, stream) &&
			target == smmu;
	of_node_put(target);
	of_node_put(bridge);
	return found;
}

/** @p node has stream @p stream: the memory that it was given. */
static int regions_of_stream(struct device_node *node, u32 stream, struct regions *all)
{
	struct of_phandle_iterator it;
	int error = 0, end;

	of_for_each_phandle(&it, end, node, "memory-region", NULL, 0)
	{
		const __be32 *at, *last;
		struct resource memory;
		int size;

		at = of_get_property(it.node, "iommu-addresses", &size);
		if (!at || of_address_to_resource(it.node, 0, &memory))
			continue;
		last = at + size / sizeof(*at);
		while (at < last && !error) {
			struct device_node *whose = of_find_node_by_phandle(be32_to_cpup(at++));
			phys_addr_t start;
			size_t length;

			/* One for whom there is no node: nor does anybody know how long its entry is. */
			if (!whose)
				break;
			at = of_translate_dma_region(whose, at, &start, &length);
			/* Of others, or not one to one: that is no memory that it uses now. */
			if (whose == node && length && start == memory.start &&
			    length == resource_size(&memory))
				error = add(all, stream, start, length, IOMMU_READ | IOMMU_WRITE);
			of_node_put(whose);
		}
		if (error) {
			of_node_put(it.node);
			break;
		}
	}
	return error;
}

static int regions_of_node(struct device_node *node, const struct device_node *smmu,
			   struct regions *all)
{
	struct of_phandle_args args;
	int error = 0, i;
	u32 stream;

	if (pci_stream(node, smmu, &stream))
		return regions_of_stream(node, stream, all);
	for (i = 0; !error && !of_parse_phandle_with_args(node, "iommus", "#iommu-cells", i, &args);
	     i++) {
		if (args.np == smmu && args.args_count)
			error = regions_of_stream(node, args.args[0], all);
		of_node_put(args.np);
	}
	return error;
}

static int from_tree(struct smmu_linux_instance *s, struct regions *all)
{
	struct device_node *node;
	int error;

	for_each_node_with_property(node, "memory-region")
	{
		error = of_device_is_available(node) ? regions_of_node(node, s->dev->of_node, all)
						     : 0;
		if (error) {
			of_node_put(node);
			return error;
		}
	}
	return 0;
}

/* ---- either ---- */

static int by_stream(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/** Regions may overlap: what is there already stays. */
static int map_region(struct smmu_domain *d, const struct region *r)
{
	u64 page = 1ull << d->table->cfg.granule_shift;
	u64 at = ALIGN_DOWN(r->start, page), end = ALIGN(r->start + r->size, page);
	u32 prot = smmu_linux_prot(d, r->prot);
	int error;

	if (r->start + r->size < r->start)
		return -ERANGE;
	error = smmu_map(d, at, at, end - at, prot, 0);
	if (error != -SMMU_EEXIST)
		return error;
	for (; at < end; at += page) {
		error = smmu_map(d, at, at, page, prot, 0);
		if (error && error != -SMMU_EEXIST)
			return error;
	}
	return 0;
}

/** A domain with the @p nr regions at @p r, all of one stream. */
static int make_domain(struct smmu_linux_instance *s, struct smmu_domain *d, const struct region *r,
		       u32 nr)
{
	const struct smmu_instance *inst = &s->inst;
	struct smmu_domain_config cfg = {
		.port = &s->port.port,
		.kind = inst->features.bits & SMMU_FEAT_S1 ? SMMU_DOMAIN_STAGE1
							   : SMMU_DOMAIN_STAGE2,
		.instances = &inst,
		.nr_instances = 1,
	};
	int error = smmu_domain_init(d, &cfg);

	for (; !error && nr; r++, nr--) {
		dev_info(s->dev, "stream %#x goes on in %#llx-%#llx\n", r->stream, r->start,
			 r->start + r->size - 1);
		error = map_region(d, r);
	}
	return error;
}

void smmu_linux_forget_reserved(struct smmu_linux_instance *s)
{
	u32 i;

	for (i = 0; i < s->nr_reserved; i++)
		WARN_ON(smmu_domain_fini(&s->reserved[i].domain));
	kfree(s->reserved);
	s->reserved = NULL;
	s->nr_reserved = 0;
}

/** @p all is sorted. */
static int enable_with(struct smmu_linux_instance *s, const struct regions *all)
{
	struct smmu_reserved *list = kcalloc(all->nr, sizeof(*list), GFP_KERNEL);
	u32 first = 0, last;
	int error = 0;

	s->reserved = kcalloc(all->nr, sizeof(*s->reserved), GFP_KERNEL);
	if (!list || !s->reserved)
		error = -ENOMEM;
	for (; !error && first < all->nr; first = last) {
		struct smmu_domain *d = &s->reserved[s->nr_reserved].domain;

		for (last = first; last < all->nr && all->r[last].stream == all->r[first].stream;)
			last++;
		list[s->nr_reserved++] = (struct smmu_reserved){all->r[first].stream, d};
		error = make_domain(s, d, &all->r[first], last - first);
	}
	if (!error)
		error = smmu_instance_enable_reserved(&s->inst, list, s->nr_reserved);
	kfree(list);
	return error;
}

int smmu_linux_enable(struct smmu_linux_instance *s)
{
	struct regions all = {};
	int error;

	error = s->dev->of_node ? from_tree(s, &all) : from_iort(s, &all);
	if (!error && all.nr) {
		sort(all.r, all.nr, sizeof(*all.r), by_stream, NULL);
		error = enable_with(s, &all);
	} else if (!error) {
		error = smmu_instance_enable(&s->inst);
	}
	kfree(all.r);
	return error;
}
