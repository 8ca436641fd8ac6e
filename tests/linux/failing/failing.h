/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * For a module of which one allocation fails: tests/linux/build.sh puts this at the end of a copy of smmu_module.h, so that the
 * functions of ports/linux come by here for memory. All that the library allocates, it allocates through those.
 */
#ifndef SMMU_TESTS_FAILING_H
#define SMMU_TESTS_FAILING_H

#include <linux/idr.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/** Is this the allocation that is to fail? Counts down where the task that asked for that is the one that allocates. */
bool smmu_failing_now(void);
/** @p p was allocated, if it is not NULL; was freed. What is allocated is counted. */
void *smmu_failing_got(void *p);
void smmu_failing_freed(const void *p);

static inline void *smmu_failing_kmalloc(size_t size, gfp_t gfp)
{
	return smmu_failing_now() ? NULL : smmu_failing_got(kmalloc(size, gfp));
}

static inline void *smmu_failing_kzalloc(size_t size, gfp_t gfp)
{
	return smmu_failing_now() ? NULL : smmu_failing_got(kzalloc(size, gfp));
}

static inline void *smmu_failing_kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return smmu_failing_now() ? NULL : smmu_failing_got(kcalloc(n, size, gfp));
}

static inline void *smmu_failing_kzalloc_node(size_t size, gfp_t gfp, int node)
{
	return smmu_failing_now() ? NULL : smmu_failing_got(kzalloc_node(size, gfp, node));
}

static inline void *smmu_failing_kvzalloc_node(size_t size, gfp_t gfp, int node)
{
	return smmu_failing_now() ? NULL : smmu_failing_got(kvzalloc_node(size, gfp, node));
}

static inline void smmu_failing_kfree(const void *p)
{
	smmu_failing_freed(p);
	kfree(p);
}

static inline void smmu_failing_kvfree(const void *p)
{
	smmu_failing_freed(p);
	kvfree(p);
}

/* These are freed by other means: they fail, and are not counted. */
static inline void *smmu_failing_devm_kzalloc(struct device *dev, size_t size, gfp_t gfp)
{
	return smmu_failing_now() ? NULL : devm_kzalloc(dev, size, gfp);
}

static inline int smmu_failing_ida_alloc(struct ida *ida, gfp_t gfp)
{
	return smmu_failing_now() ? -ENOMEM : ida_alloc(ida, gfp);
}

static inline void *smmu_failing_xa_store(struct xarray *xa, unsigned long at, void *p, gfp_t gfp)
{
	return smmu_failing_now() ? XA_ERROR(-ENOMEM) : xa_store(xa, at, p, gfp);
}

#undef kmalloc
#undef kzalloc
#undef kcalloc
#undef kzalloc_node
#undef kvzalloc_node
#undef devm_kzalloc
#define kmalloc smmu_failing_kmalloc
#define kzalloc smmu_failing_kzalloc
#define kcalloc smmu_failing_kcalloc
#define kzalloc_node smmu_failing_kzalloc_node
#define kvzalloc_node smmu_failing_kvzalloc_node
#define kfree smmu_failing_kfree
#define kvfree smmu_failing_kvfree
#define devm_kzalloc smmu_failing_devm_kzalloc
#define ida_alloc smmu_failing_ida_alloc
#define xa_store smmu_failing_xa_store

#endif
