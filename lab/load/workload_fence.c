/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unmaps whose fences stay open over other calls of their worker, and are finished by it later, or by another worker. An
 * attach would wait for them: before one, all are finished.
 */
#include "workload.h"

static void end(struct worker *k, struct flight *f, int rc)
{
	f->open = f->away = false;
	worker_unmapped(k, &f->map, rc, &f->tables);
	worker_unmap_done(k, &f->map, NULL, rc);
}

/*
 * A read section of liburcu has to end in the thread in which it began; those of the library's own epoch may end
 * anywhere.
 */
static bool hand_over(struct worker *k, struct flight *f)
{
	struct flight **slot = &k->w->mailbox[worker_below(k, MAILBOX)], *none = NULL;

	if (k->w->m->posix.rcu.kind == SMMU_POSIX_RCU_LIBURCU)
		return false;
	smmu_store(&f->done, 0);
	f->away = true;
	if (smmu_compare_exchange(slot, &none, f))
		return true;
	f->away = false;
	return false;
}

static void finish_others(struct worker *k)
{
	unsigned i;

	for (i = 0; i < MAILBOX; i++) {
		struct flight *f = smmu_exchange(&k->w->mailbox[i], (struct flight *)NULL);

		if (!f)
			continue;
		worker_open(k);
		f->rc = smmu_fence_wait(&f->fence);
		worker_close(k);
		smmu_store_release(&f->done, 1);
	}
}

static bool is_done(void *arg)
{
	const struct flight *f = arg;

	return smmu_load_acquire(&f->done);
}

/* Wait for a flight of our own: somebody else may be at it. */
static void land(struct worker *k, struct flight *f)
{
	int rc;

	if (!f->away) {
		worker_open(k);
		rc = smmu_fence_wait(&f->fence);
		worker_close(k);
		end(k, f, rc);
		return;
	}
	finish_others(k);
	/* That may take as long as an ATC takes to answer. */
	if (k->w->m->sim)
		sim_wait(k->w->m->sim, is_done, f);
	while (!is_done(f))
		machine_pause(k->w->m, 200);
	end(k, f, f->rc);
}

void worker_land(struct worker *k)
{
	unsigned i;

	for (i = 0; i < MAX_FLIGHTS; i++) {
		if (k->flight[i].open)
			land(k, &k->flight[i]);
	}
	finish_others(k);
}

void worker_poll(struct worker *k)
{
	unsigned i;

	if (worker_chance(k, 1, 2))
		finish_others(k);
	for (i = 0; i < MAX_FLIGHTS; i++) {
		struct flight *f = &k->flight[i];
		int rc = -SMMU_EAGAIN;

		/* Not each time: a fence that is done may stay open. */
		if (!f->open || worker_chance(k, 1, 2))
			continue;
		if (!f->away)
			rc = smmu_fence_poll(&f->fence);
		else if (smmu_load_acquire(&f->done))
			rc = f->rc;
		if (rc != -SMMU_EAGAIN)
			end(k, f, rc);
	}
}

void worker_unmap_async(struct worker *k)
{
	struct machine *m = k->w->m;
	struct flight *f = &k->flight[worker_below(k, MAX_FLIGHTS)];
	struct live_map *l = &f->map;
	struct probe p;
	int rc;

	if (!m->design->unmap_start) {
		worker_unmap(k);
		return;
	}
	if (f->open)
		land(k, f);
	if (!k->n_live)
		return;
	*l = worker_cut(k);
	if (!worker_split(k, l)) {
		k->live[k->n_live++] = *l;
		return;
	}
	worker_probe_before(k, &p, l);
	oracle_unmap_begin(m->oracle, l->domain, map_iova(k, l), (uint64_t)l->pages << 12);
	f->tables = (struct smmu_freelist){NULL};
	worker_open(k);
	rc = m->design->unmap_start(m, &m->domain[l->domain], map_host(k, l),
				    (uint64_t)l->pages << 12, &f->tables, &f->fence);
	worker_close(k);
	if (!rc) {
		f->open = true;
		if (worker_chance(k, 1, 3))
			hand_over(k, f);
		return;
	}
	worker_unmapped(k, l, rc, NULL);
	worker_unmap_done(k, l, &p, rc);
}
