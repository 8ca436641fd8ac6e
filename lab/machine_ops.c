/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run does to the SMMUs of its machine: reset, remove, restart, serve interrupts. The judge is told before and after. */
#include "machine_build.h"

#include <time.h>

#include "guest.h"

void machine_pause(struct machine *m, uint64_t ns)
{
	struct timespec t = {.tv_nsec = (long)ns};

	if (m->sim)
		sim_sleep(m->sim, ns);
	else
		nanosleep(&t, NULL);
}

bool machine_take(uint32_t *busy)
{
	return !smmu_exchange(busy, 1);
}

bool machine_try_again(struct machine *m, int rc, unsigned *tries)
{
	unsigned every;

	if (!lab_fault(m->o, FAULT_ALLOC_FAIL, &every))
		return false;
	if (rc == -SMMU_ENOMEM && ++*tries <= 4) {
		/* Where each try allocates more often than that, none would ever succeed. */
		if (*tries == 4)
			smmu_heap_fail(&m->heap, 0, 0);
		return true;
	}
	if (*tries >= 4)
		smmu_heap_fail(&m->heap, 0, every);
	return false;
}

void machine_give(uint32_t *busy)
{
	smmu_store_release(busy, 0);
}

/* Every domain, in order: all attachments of an SMMU go away at once. */
static void design_change_all(struct machine *m, bool begin)
{
	unsigned i;

	for (i = 0; i < m->domains; i++) {
		if (begin)
			m->design->change_begin(&m->domain[i], true);
		else
			m->design->change_end(&m->domain[i], true);
	}
}

int machine_reset_device(struct machine_device *d)
{
	struct machine *m = d->m;
	unsigned k, tries = 0;
	int rc;

	machine_block(d, true, false);
	design_change_all(m, true);
	smmu_device_fini(&d->dev);
	design_change_all(m, false);
	smmu_store_release(&d->present, 0);
	machine_block(d, false, false);
	for (k = 0; m->backend.ops->reset_device && k < d->n_streams; k++)
		m->backend.ops->reset_device(m->backend.ctx, d->smmu, d->stream[k]);
	do
		rc = machine_add_device(d);
	while (machine_try_again(m, rc, &tries));
	return rc;
}

void machine_check_events(struct machine *m)
{
	unsigned i;

	if (!m->backend.ops->events || m->faulty || lab_fault(m->o, FAULT_DIRTY_START, NULL))
		return;
	/* Those that are on their way. */
	if (m->sim)
		sim_settle(m->sim, 1000000);
	else
		machine_pause(m, 50000000);
	machine_serve(m);
	for (i = 0; i < m->smmus; i++) {
		struct machine_smmu *s = &m->smmu[i];
		uint64_t written = m->backend.ops->events(m->backend.ctx, i) - s->events_before;

		if (smmu_load(&s->present) && !s->events_lost && written != s->events)
			machine_complain(m, i, 0, "events",
					 "the SMMU wrote %llu event records since it was enabled, "
					 "the driver has handed over %llu",
					 (unsigned long long)written,
					 (unsigned long long)s->events);
	}
}

static void open_to_all(struct machine_device *d)
{
	unsigned slot;

	for (slot = 0; slot < MACHINE_SSIDS; slot++)
		oracle_doubt(d->m->oracle, machine_slot(d, slot), ORACLE_IDENTITY);
}

/*
 * DMA of all devices of an SMMU that a former owner left running, so that it caches what that one set up, and again after the
 * driver has it up.
 */
static void roam(struct machine *m, unsigned smmu)
{
	struct dma_count count = {0};
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (d->smmu != smmu)
			continue;
		for (k = 0; k < d->n_streams; k++)
			machine_dma(m, &count, d, k, 0, m->canary, false);
	}
}

int machine_remove(struct machine *m, unsigned smmu)
{
	unsigned tries = 0;
	int rc;

	/* One that pauses is there again after minutes. */
	while ((rc = smmu_instance_remove(&m->smmu[smmu].inst)) == -SMMU_ETIMEDOUT && m->faulty &&
	       tries++ < 300)
		machine_pause(m, 900000000);
	return rc;
}

int machine_restart(struct machine *m, unsigned smmu)
{
	struct oracle *o = m->oracle;
	unsigned i, k;
	int rc;

	for (i = 0; i < m->devices; i++) {
		for (k = 0; m->device[i].smmu == smmu && k < MACHINE_SSIDS; k++) {
			unsigned slot = machine_slot(&m->device[i], k);

			oracle_attach_begin(o, slot, oracle_attached(o, slot, NULL), false);
		}
	}
	m->smmu[smmu].events_lost = true;
	rc = smmu_instance_revive(&m->smmu[smmu].inst);
	smmu_store(&m->smmu[smmu].broken, rc && rc != -SMMU_EIO);
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && k < MACHINE_SSIDS; k++) {
			/* Of a device that is not there, or silent, the revival confirms nothing. */
			if (!rc && smmu_load(&d->present) && smmu_device_confirmed(&d->dev))
				oracle_certain(o, machine_slot(d, k));
			else
				oracle_doubt(o, machine_slot(d, k),
					     oracle_attached(o, machine_slot(d, k), NULL));
			oracle_attach_end(o, machine_slot(d, k), true);
		}
	}
	return rc;
}

int machine_replug(struct machine *m, unsigned smmu)
{
	struct machine_smmu *s = &m->smmu[smmu];
	unsigned i, tries = 0;
	bool dirty;
	int rc;

	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu)
			machine_block(&m->device[i], true, true);
	}
	design_change_all(m, true);
	if (smmu_load(&s->present))
		machine_check_dirt(m, smmu);
	smmu_store(&s->present, 0);
	rc = machine_remove(m, smmu);
	if (!rc)
		guest_smmu_down(m, smmu);
	design_change_all(m, false);
	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu) {
			smmu_store_release(&m->device[i].present, 0);
			/* Whoever uses it meanwhile lets everything through. */
			if (lab_fault(m->o, FAULT_DIRTY_START, NULL))
				open_to_all(&m->device[i]);
		}
	}
	machine_keep_stats(m, smmu);
	machine_pause(m, 1000);
	dirty = !rc && machine_bring_dirt(m, smmu);
	if (dirty)
		roam(m, smmu);
	while (!rc) {
		rc = machine_enable(m, smmu);
		if (!rc)
			rc = guest_smmu_up(m, smmu);
		if (!machine_try_again(m, rc, &tries))
			break;
		rc = 0;
	}
	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu)
			machine_block(&m->device[i], false, !rc);
	}
	if (dirty)
		roam(m, smmu);
	machine_leave_dirt(m, smmu);
	if (rc)
		return rc;
	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu != smmu)
			continue;
		tries = 0;
		do
			rc = machine_add_device(&m->device[i]);
		while (machine_try_again(m, rc, &tries));
		if (rc)
			return rc;
	}
	return 0;
}

static size_t one_command(void *ctx, struct smmu_cmd *dst, size_t room)
{
	const struct smmu_cmd **cmd = ctx;

	if (!room || !*cmd)
		return 0;
	*dst = **cmd;
	*cmd = NULL;
	return 1;
}

static bool next_stray(struct machine *m, struct machine_stray *s)
{
	bool any;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&m->lock);
	any = m->strays != 0;
	if (any)
		*s = m->stray[--m->strays];
	smmu_spin_unlock(&m->lock, flags);
	return any;
}

/* What tamper took from one SMMU goes to the next one. */
static void issue_strays(struct machine *m)
{
	struct smmu_cmdq_token token;
	struct machine_stray s;

	while (m->smmus > 1 && next_stray(m, &s)) {
		struct machine_smmu *to = &m->smmu[(s.from + 1) % m->smmus];
		const struct smmu_cmd *cmd = &s.cmd;

		if (!machine_take(&to->busy))
			continue;
		if (to->inst.up && !smmu_cmdq_submit(&to->inst.cmdq, 1, one_command, &cmd, &token))
			smmu_cmdq_wait(&to->inst.cmdq, &token, false);
		machine_give(&to->busy);
	}
}

uint64_t machine_serve(struct machine *m)
{
	const struct backend_ops *ops = m->backend.ops;
	struct smmu_event event;
	uint64_t n = 0;
	unsigned i;
	bool called;

	if (ops->gone && ops->gone(m->backend.ctx))
		smmu_store(&m->stop, 1);
	issue_strays(m);
	for (i = 0; i < m->smmus; i++) {
		struct machine_smmu *s = &m->smmu[i];

		if (!machine_take(&s->busy))
			continue;
		called = !ops->interrupted || ops->interrupted(m->backend.ctx, i);
		if (s->inst.up && called) {
			smmu_instance_gerror(&s->inst);
			while (smmu_instance_event(&s->inst, &event) == 1) {
				s->events++;
				n++;
			}
		}
		machine_give(&s->busy);
	}
	return n;
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
