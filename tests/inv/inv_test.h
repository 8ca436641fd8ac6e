/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the invalidation core share: cmocka, a port on malloc, and targets made by hand. */
#ifndef INV_TEST_H
#define INV_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <smmuv3/inv.h>

/** A port whose n-th allocation fails (0: none), and which counts what is live, and all that was ever given. */
struct test_port {
	struct smmu_port port;
	struct smmu_rcu rcu;
	unsigned fail_at, allocs;
	long live;
	size_t bytes;
};

static void *port_alloc_raw(void *ctx, size_t size)
{
	struct test_port *t = ctx;
	void *p = malloc(size);

	if (++t->allocs == t->fail_at || !p) {
		free(p);
		return NULL;
	}
	t->live += (long)size;
	t->bytes += size;
	return memset(p, 0xa5, size);
}

static void *port_alloc(void *ctx, size_t size)
{
	void *p = port_alloc_raw(ctx, size);

	return p ? memset(p, 0, size) : NULL;
}

static void port_free(void *ctx, void *p, size_t size)
{
	struct test_port *t = ctx;

	t->live -= (long)size;
	memset(p, 0xdd, size);
	free(p);
}

static uint64_t port_now(void *ctx)
{
	return 0;
}

static inline struct test_port *test_port_init(struct test_port *t)
{
	static const struct smmu_port_ops ops = {.alloc = port_alloc,
						 .alloc_raw = port_alloc_raw,
						 .free = port_free,
						 .now_ns = port_now};

	memset(t, 0, sizeof(*t));
	t->port = (struct smmu_port){.ops = &ops, .ctx = t, .rcu = &t->rcu};
	return t;
}

static inline uint64_t test_seed(void)
{
	const char *s = getenv("SMMU_TEST_SEED");

	return s ? strtoull(s, NULL, 0) : 20250401;
}

static inline uint64_t test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

#endif
