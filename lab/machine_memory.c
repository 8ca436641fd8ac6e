/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and clock of a machine, and the faults that lie in them: early-free and no-barrier. */
#include <stdlib.h>

#include "machine_build.h"
#include "machine_table.h"

#define RAM_HEAP (512ull << 20)
#define CANARY_BYTES 4096u

/*
 * A page of descriptors that lead to the page itself at every level, and freed memory is filled with what an STE, a CD or a
 * table may be that leads there: an SMMU that still uses it ends here, where nothing is mapped, and not in a fault that
 * looks right.
 */
static void make_canary(struct machine *m)
{
	smmu_model_canary(smmu_ram_at(&m->ram, m->canary, CANARY_BYTES), m->canary);
	smmu_model_poison(m->poison, m->canary);
	m->heap.pattern = m->poison;
}

static void on_heap_error(void *ctx, const char *text)
{
	machine_complain(ctx, 0, 0, "an allocation that matches", "%s", text);
}

/* The fault "no-barrier": the barriers between tables, array and entries do nothing. */
static void leave_barriers_out(struct machine *m)
{
	const struct lab_config *o = m->o;
	bool named = false;
	unsigned i;

	/* What lingers where one is left out lingers for long. */
	if (m->sim)
		sim_set_store_buffer(m->sim, SIM_STORES_BUFFERED, 20000, 2000);

	for (i = 0; i < o->n_inject; i++) {
		if (o->inject[i].id != FAULT_NO_BARRIER || !o->inject[i].barrier)
			continue;
		sim_drop_barrier(o->inject[i].barrier);
		named = true;
	}
	if (named)
		return;
	sim_drop_barrier("array_before_entry");
	sim_drop_barrier("array_after_descriptor");
	sim_drop_barrier("map_leaves_visible");
}

static void clean(void *ctx, const void *va, size_t size)
{
	struct smmu_posix *posix = ctx;
	struct machine *m = smmu_container_of(posix, struct machine, posix);
	uint32_t every = smmu_load(&m->drop_clean);

	sim_cleaning(va, size);
	if (every && smmu_fetch_add(&m->cleans, 1) % every == every - 1)
		smmu_fetch_add(&m->own_strikes[FAULT_DROP_CLEAN], 1);
	else
		smmu_shadow_clean(&m->shadow, va, size);
}

/* The SMMUs see what is cleaned, and the canary. */
static int part_memory(struct machine *m)
{
	if (smmu_shadow_create(&m->shadow, &m->ram))
		return machine_fail(m, "out of memory");
	sim_port_shadow(&m->posix, &m->shadow);
	smmu_shadow_clean(&m->shadow, smmu_ram_at(&m->ram, m->canary, CANARY_BYTES), CANARY_BYTES);
	return 0;
}

static void make_work_free(struct sim *sim)
{
	unsigned kind;

	sim_set_switching(sim, 0, 1, 0);
	for (kind = 0; kind < SIM_POINT_KINDS; kind++)
		sim_set_cost(sim, (enum sim_point_kind)kind, 0);
}

/* SMMUs look between the halves of a store that was to be one. */
static void between(void *ctx)
{
	struct machine *m = ctx;

	if (m->backend.ops && m->backend.ops->stir)
		m->backend.ops->stir(m->backend.ctx);
}

/* Whether the processors have FEAT_LSE2 is the seed's choice, and the driver is told, unless it is told what is not true. */
static void choose_pairs(struct machine *m, const struct machine_config *cfg)
{
	bool lie = lab_fault(m->o, FAULT_TORN_PAIR, NULL);

	if (!m->sim)
		return;
	m->lse2 = !lie && !cfg->exact && !m->qemu && m->o->seed * 0x9e3779b97f4a7c15ull >> 63;
	if (m->lse2 || lie)
		m->port.flags |= SMMU_PORT_LSE2;
	sim_set_torn_pairs(m->sim, !m->lse2, between, m);
}

int machine_make_memory(struct machine *m, const struct machine_config *cfg)
{
	/* The canary, with room around it; and what stays mapped one to one. */
	const uint64_t low = MACHINE_DATA_ALIGN << machine_keeps(m);
	uint64_t heap = m->ram.va ? MACHINE_QEMU_HEAP : RAM_HEAP;

	m->data_bytes = cfg->data_bytes;
	if (!m->ram.va && smmu_ram_create(&m->ram, SMMU_RAM_DEFAULT_BASE,
					  low + heap + m->data_bytes + machine_reserved_bytes(m)))
		return machine_fail(m, "out of memory");
	m->canary = m->ram.base;
	m->data = m->ram.base + low + heap;
	machine_reserved_place(m, m->data + m->data_bytes);
	if (!m->qemu) {
		m->tags.word = calloc(m->data_bytes >> 12, sizeof(*m->tags.word));
		if (!m->tags.word && m->data_bytes)
			return machine_fail(m, "out of memory");
		m->tags.base = m->data;
		m->tags.pages = m->data_bytes >> 12;
	}
	if (smmu_heap_init(&m->heap, &m->ram, low, heap))
		return machine_fail(m, "out of memory");
	m->heap.error = on_heap_error;
	m->heap.error_ctx = m;
	m->early_free = lab_fault(m->o, FAULT_EARLY_FREE, NULL);
	make_canary(m);
	m->posix = (struct smmu_posix){.heap = &m->heap, .stderr_level = cfg->quiet ? -1 : 0};
	if (m->o->n_inject)
		m->posix.stderr_level = -1;
	if (m->o->real_clock) {
		/* The thread sanitizer cannot see into liburcu; the library's own epoch it can follow. */
#ifndef SMMU_UNDER_TSAN
		m->posix.rcu.kind = SMMU_POSIX_RCU_LIBURCU;
#endif
	} else {
		m->sim = sim_create(m->o->seed);
		if (!m->sim)
			return machine_fail(m, "out of memory");
		m->posix.clock = sim_clock;
		m->posix.clock_ctx = m->sim;
		/* Time-outs of seconds, and of minutes, need not be seen to the millisecond. */
		sim_set_max_step(m->sim, 50000000);
		if (cfg->exact)
			make_work_free(m->sim);
	}
	if (m->o->non_coherent && part_memory(m))
		return 2;
	sim_port_init(&m->port, &m->posix);
	m->port_ops = *m->port.ops;
	if (m->o->non_coherent)
		m->port_ops.clean = clean;
	m->port.ops = &m->port_ops;
	choose_pairs(m, cfg);
	if (lab_fault(m->o, FAULT_NO_BARRIER, NULL))
		leave_barriers_out(m);
	return 0;
}

uint64_t *machine_tag_words(struct machine *m, uint64_t pa)
{
	uint64_t page = (pa - m->tags.base) >> 12;

	return page < m->tags.pages ? m->tags.word[page] : smmu_ram_at(&m->ram, pa & ~4095ull, 16);
}

void machine_tag_pages(struct machine *m, uint64_t pa, uint64_t size, uint64_t tag, bool per_page)
{
	uint64_t at;

	for (at = 0; at < size; at += 4096) {
		uint64_t *word = machine_tag_words(m, pa + at);

		if (!word)
			return;
		__atomic_store_n(word, per_page ? tag + (at >> 12) : tag, __ATOMIC_RELAXED);
		__atomic_store_n(word + 1, 0, __ATOMIC_RELAXED);
	}
}
