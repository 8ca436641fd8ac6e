/* SPDX-License-Identifier: BSD-2-Clause */
/* What a firmware table says beyond SMMUs and streams: errata, and memory that has to stay mapped. */
#include "machine_table.h"

#include <stdlib.h>
#include <string.h>

#include <smmuv3/quirks.h>

#include "machine_build.h"

#define ALIGN 0x10000ull /* of the largest page, so that each domain maps the same */
#define MOST_BYTES (1ull << 30)
#define KEPT_RANGES 2u
#define LOAD_SPAN (1ull << 36) /* of the windows of all workers */
#define ADDRESS_END (1ull << 44)

uint32_t machine_table_quirks(const struct smmu_topology_smmu *smmu)
{
	uint32_t quirks = smmu_quirks_from(0, smmu->has_model ? smmu->model : 0, NULL);
	const char *p = smmu->compatible;
	char name[64];

	while (p && *p) {
		size_t len = strcspn(p, " ");

		if (len < sizeof(name)) {
			memcpy(name, p, len);
			name[len] = '\0';
			quirks |= smmu_quirks_from(0, 0, name);
		}
		p += len + (p[len] == ' ');
	}
	if (smmu->page0_only)
		quirks |= SMMU_QUIRK_PAGE0_ONLY;
	return quirks;
}

/* ---- which devices ---- */

/* The @n th stream of @smmu that has reserved memory: true, with *@stream. Streams are told once. */
static bool reserved_stream(const struct machine *m, unsigned smmu, unsigned n, uint32_t *stream)
{
	const struct smmu_topology *t = &m->topology;
	size_t i, k;

	for (i = 0; i < t->n_reserved; i++) {
		const struct smmu_topology_reserved *r = &t->reserved[i];

		if (r->smmu != smmu)
			continue;
		for (k = 0; k < i; k++)
			if (t->reserved[k].smmu == smmu && t->reserved[k].stream == r->stream)
				break;
		if (k < i || !smmu_topology_root_of(t, smmu, r->stream) || n--)
			continue;
		*stream = r->stream;
		return true;
	}
	return false;
}

int machine_pick_stream(const struct machine *m, unsigned smmu, unsigned n, uint32_t *stream)
{
	uint32_t other;
	unsigned i, k;

	if (reserved_stream(m, smmu, n, stream))
		return 0;
	/* Behind those, all others in the order that spreads them. */
	for (i = 0; reserved_stream(m, smmu, i, &other); i++)
		n--;
	for (i = 0;; i++) {
		if (smmu_topology_pick_device(&m->topology, smmu, i, stream))
			return -1;
		for (k = 0; reserved_stream(m, smmu, k, &other) && other != *stream; k++)
			;
		if (reserved_stream(m, smmu, k, &other))
			continue;
		if (!n--)
			return 0;
	}
}

/* ---- which memory ---- */

static int compare(const void *a, const void *b)
{
	const struct machine_reserved *x = a, *y = b;

	return (x->base > y->base) - (x->base < y->base);
}

static void merge(struct machine *m)
{
	struct machine_reserved *r = m->reserved;
	size_t i, n = 0;

	qsort(r, m->n_reserved, sizeof(*r), compare);
	for (i = 1; i < m->n_reserved; i++) {
		if (r[i].base > r[n].base + r[n].size)
			r[++n] = r[i];
		else if (r[i].base + r[i].size > r[n].base + r[n].size)
			r[n].size = r[i].base + r[i].size - r[n].base;
	}
	m->n_reserved = n + 1;
}

bool machine_keeps(const struct machine *m)
{
	return m->o->adopt || m->o->life;
}

/*
 * Two ranges of the machine's own, the last two: one where its memory is, so that who passes untranslated reaches it too, and one at
 * another address, between those of the first worker.
 */
static int add_kept(struct machine *m)
{
	struct machine_reserved *r = &m->reserved[m->n_reserved];

	r[0] = (struct machine_reserved){MACHINE_KEPT_BASE, MACHINE_RESERVED_PIECE,
					 MACHINE_KEPT_BASE};
	r[1] = (struct machine_reserved){m->window + 0x30000000, MACHINE_RESERVED_PIECE, 0};
	if (machine_is_reserved(m, r[0].base, r[0].size))
		return machine_fail(m,
				    "memory at 0x%llx is reserved by the table, where the machine "
				    "has memory of its own",
				    (unsigned long long)r[0].base);
	m->n_reserved += KEPT_RANGES;
	return 0;
}

void machine_reserved_place(struct machine *m, uint64_t memory)
{
	size_t i;

	for (i = 0; i < m->n_reserved; i++)
		if (!m->reserved[i].memory)
			m->reserved[i].memory = memory + i * MACHINE_RESERVED_PIECE;
}

int machine_reserved_init(struct machine *m)
{
	const struct smmu_topology *t = &m->topology;
	uint64_t total = 0;
	size_t i;

	m->window = 0x800000000ull;
	if (!t->n_reserved && !machine_keeps(m))
		return 0;
	m->reserved = calloc(t->n_reserved + KEPT_RANGES, sizeof(*m->reserved));
	if (!m->reserved)
		return machine_fail(m, "out of memory");
	for (i = 0; i < t->n_reserved; i++) {
		const struct smmu_topology_reserved *r = &t->reserved[i];
		uint64_t base = r->base & ~(ALIGN - 1);

		m->reserved[i] = (struct machine_reserved){
			base, smmu_align_up(r->base + r->size, ALIGN) - base, 0};
		if (r->base + r->size > ADDRESS_END)
			return machine_fail(
				m, "%s: reserved memory ends at 0x%llx, expected less than 2^44",
				r->name, (unsigned long long)(r->base + r->size));
	}
	m->n_reserved = t->n_reserved;
	if (m->n_reserved)
		merge(m);
	for (i = 0; i < m->n_reserved; i++)
		total += m->reserved[i].size;
	if (total > MOST_BYTES)
		return machine_fail(m, "%llu bytes of memory are reserved, expected at most 1 GiB",
				    (unsigned long long)total);
	while (machine_is_reserved(m, m->window, LOAD_SPAN))
		m->window += LOAD_SPAN;
	return machine_keeps(m) ? add_kept(m) : 0;
}

uint64_t machine_reserved_bytes(const struct machine *m)
{
	return m->n_reserved * MACHINE_RESERVED_PIECE;
}

bool machine_is_reserved(const struct machine *m, uint64_t iova, uint64_t size)
{
	size_t i;

	for (i = 0; i < m->n_reserved; i++)
		if (iova < m->reserved[i].base + m->reserved[i].size &&
		    m->reserved[i].base < iova + size)
			return true;
	return false;
}

uint64_t machine_reserved_iova(const struct machine *m, struct smmu_random *random)
{
	const struct machine_reserved *r = &m->reserved[smmu_random_below(random, m->n_reserved)];

	return r->base + (smmu_random_below(random, r->size) & ~7ull);
}
