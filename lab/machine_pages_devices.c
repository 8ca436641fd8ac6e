/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that ask for pages, in groups, are told, and forget what they asked for when they are reset. */
#include "machine_pages_own.h"

#include <string.h>

/** Whoever has it may be waiting for a time-out of minutes: ask the more seldom, the longer that lasts. */
static void wait_for(struct machine *m, uint32_t *busy)
{
	uint64_t pause = 100;

	for (; !machine_take(busy); pause = smmu_min64(pause * 2, 10000000))
		machine_pause(m, pause);
}

static struct asker *take_asker(struct machine_device *d)
{
	struct asker *a = &d->m->pages->asker[d->index];

	return machine_take(&a->busy) ? a : NULL;
}

static struct asker *wait_for_asker(struct machine_device *d)
{
	struct asker *a = &d->m->pages->asker[d->index];

	wait_for(d->m, &a->busy);
	return a;
}

void machine_pages_forget(struct machine_device *d)
{
	struct machine *m = d->m;
	struct asker *a;
	struct letter l;

	if (!m->pages)
		return;
	a = wait_for_asker(d);
	/* It asks for nothing more; what is on its way is read, and ended. */
	memset(a->group, 0, sizeof(a->group));
	a->off = 0;
	a->shut = true;
	wait_for(m, &m->smmu[d->smmu].busy);
	if (smmu_load(&m->smmu[d->smmu].present))
		machine_pages_drain(m, d->smmu);
	machine_give(&m->smmu[d->smmu].busy);
	while (machine_pages_pick(m, d->smmu, d, &l)) {
		unsigned cookie = smmu_rcu_enter(m->port.rcu);

		if (smmu_load_acquire(&m->smmu[l.smmu].faults_up))
			machine_pages_reply(m, &l, SMMU_FAULT_INVALID, false);
		smmu_rcu_exit(m->port.rcu, cookie);
	}
	smmu_rcu_synchronize(m->port.rcu);
	machine_give(&a->busy);
}

void machine_pages_back(struct machine_device *d)
{
	struct asker *a;

	if (!d->m->pages)
		return;
	a = wait_for_asker(d);
	a->shut = false;
	machine_give(&a->busy);
}

bool machine_pages_busy(const struct machine_device *d)
{
	const struct backend *b = &d->m->backend;

	return d->stalls && b->ops->unanswered && b->ops->unanswered(b->ctx, d->smmu) >= IN_FLIGHT;
}

void machine_pages_ask(struct machine_device *d, unsigned stream, unsigned slot, uint64_t iova,
		       bool write, struct smmu_random *random)
{
	struct machine *m = d->m;
	struct backend_page ask = {.smmu = d->smmu,
				   .stream = d->stream[stream],
				   .has_ssid = slot != 0,
				   .ssid = d->ssid[slot],
				   .write = write};
	unsigned n = (unsigned)smmu_random_below(random, GROUP_PAGES), i;
	struct asker *a;

	if (!m->pages || !d->ats || !smmu_load(&d->present))
		return;
	a = take_asker(d);
	if (!a)
		return;
	for (i = 0; i < GROUPS && a->group[stream][i].open; i++)
		;
	if (a->off)
		a->off--;
	else if (i < GROUPS && !a->shut && !a->off_duty) {
		struct group *g = &a->group[stream][i];

		ask.group = (uint16_t)i;
		for (; n; n--) {
			ask.iova = iova - ((uint64_t)n << 12);
			m->backend.ops->page_request(m->backend.ctx, &ask);
		}
		ask.iova = iova;
		ask.last = true;
		*g = (struct group){.open = m->backend.ops->page_request(m->backend.ctx, &ask),
				    .slot = slot,
				    .iova = iova};
		smmu_fetch_add(&m->pages->asked, 1);
	}
	machine_give(&a->busy);
}

bool machine_pages_told(struct machine_device *d, unsigned *stream, unsigned *slot, uint64_t *iova)
{
	struct machine *m = d->m;
	bool told = false;
	struct asker *a;
	unsigned k, i;

	if (!m->pages || !d->ats)
		return false;
	a = take_asker(d);
	for (k = 0; a && k < d->n_streams; k++) {
		for (i = 0; i < GROUPS && !told; i++) {
			struct group *g = &a->group[k][i];
			int how = -1;

			if (g->open)
				how = m->backend.ops->page_response(m->backend.ctx, d->smmu,
								    d->stream[k], (uint16_t)i);
			if (how < 0)
				continue;
			g->open = false;
			a->off = how ? a->off : PRI_OFF;
			told = how == 2;
			*stream = k;
			*slot = g->slot;
			*iova = g->iova;
		}
	}
	if (a)
		machine_give(&a->busy);
	return told;
}

/** Devices of an SMMU ask for nothing (@p off_duty), or begin anew. */
static void all_off_duty(struct machine *m, unsigned smmu, bool off_duty)
{
	unsigned i, k;

	for (i = 0; m->pages && i < m->devices; i++) {
		struct machine_device *d = &m->device[i];
		struct asker *a;

		if (d->smmu != smmu)
			continue;
		a = wait_for_asker(d);
		a->off_duty = off_duty;
		if (!off_duty)
			memset(a->group, 0, sizeof(a->group));
		for (k = 0; !off_duty && k < d->n_streams; k++)
			m->backend.ops->page_reset(m->backend.ctx, smmu, d->stream[k]);
		machine_give(&a->busy);
	}
}

void machine_pages_gone(struct machine *m, unsigned smmu)
{
	all_off_duty(m, smmu, false);
}

void machine_pages_suspend(struct machine *m, unsigned smmu)
{
	all_off_duty(m, smmu, true);
}

void machine_pages_suspended(struct machine *m, unsigned smmu)
{
	smmu_fetch_add(&m->smmu[smmu].outages, 1);
	all_off_duty(m, smmu, false);
}
