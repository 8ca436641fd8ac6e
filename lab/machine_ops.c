/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run does to its machine: attach, detach, remove, serve interrupts. Each tells the judge before and after. */
#include "machine_build.h"

#include <time.h>

#include <smmuv3/nested.h>

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

/* The attachment's driver object; NULL: blocked. */
struct smmu_domain *machine_target(const struct machine_device *d, unsigned to)
{
	struct machine *m = d->m;

	if (to == ORACLE_IDENTITY)
		return &m->identity;
	return to == ORACLE_BLOCKED ? NULL : guest_target(&m->domain[to], d->smmu);
}

static struct machine_domain *table(struct machine *m, unsigned to)
{
	return to < m->domains + m->visitors ? &m->domain[to] : NULL;
}

static bool is_stage1(const struct machine *m, unsigned to)
{
	return to < m->domains + m->visitors && m->domain[to].stage == 1;
}

/* What the driver takes slot @slot to be attached to, after a call of which the judge cannot know what it left. */
unsigned machine_driver_says(const struct machine_device *d, unsigned slot)
{
	const struct smmu_domain *domain = d->dev.domain;
	struct machine *m = d->m;
	unsigned i;

	if (slot)
		domain = smmu_device_pasid(&d->dev, d->ssid[slot]);
	if (domain == &m->identity)
		return ORACLE_IDENTITY;
	if (domain && domain->vsmmu)
		domain = domain->vsmmu->parent;
	for (i = 0; domain && i < m->domains + m->visitors; i++) {
		if (domain == &m->domain[i].d)
			return i;
	}
	return ORACLE_BLOCKED;
}

bool machine_confirmed(const struct machine_device *d)
{
	return !smmu_load(&d->m->smmu[d->smmu].broken) && smmu_device_confirmed(&d->dev);
}

/*
 * After a change of slot @slot from @from, that returned @rc, as the judge sees it. -SMMU_EIO: it is attached to nothing, or to
 * what it was before. As long as the SMMU has not confirmed, all of the device may reach what it reached before, and may be
 * refused. All other errors: everything is as before. Where a try to revive the SMMU has failed, all is refused until one
 * succeeds, or until the SMMU comes to that, and whatever a device had confirmed says nothing.
 */
static void end(struct machine_device *d, unsigned slot, unsigned from, int rc)
{
	struct oracle *o = d->m->oracle;
	unsigned of = machine_slot(d, slot), to = oracle_attached(o, of, NULL), k;
	bool confirmed = machine_confirmed(d);

	/* A device may have left its guest for nothing. */
	bool moved = rc == -SMMU_EIO || (rc && machine_driver_says(d, slot) != from);

	if (moved)
		oracle_attach_begin(o, of, machine_driver_says(d, slot), false);
	for (k = 0; k < MACHINE_SSIDS; k++) {
		if (confirmed)
			oracle_certain(o, machine_slot(d, k));
		else
			oracle_doubt(o, machine_slot(d, k),
				     oracle_attached(o, machine_slot(d, k), NULL));
	}
	if (!confirmed) {
		oracle_doubt(o, of, from);
		oracle_doubt(o, of, to);
	}
	smmu_mb(); /* as a driver does before it starts its device */
	oracle_attach_end(o, of, !rc || moved);
}

/* Traffic of the same streams that may be refused while their STEs change, though it is not what is changed. */
static void disturb(struct machine_device *d, unsigned except, bool begin)
{
	struct oracle *o = d->m->oracle;
	unsigned k;

	for (k = 0; d->ssid_bits && k < MACHINE_SSIDS; k++) {
		unsigned slot = machine_slot(d, k);

		if (k == except)
			continue;
		if (begin) {
			oracle_attach_begin(o, slot, oracle_attached(o, slot, NULL), false);
		} else {
			smmu_mb(); /* as a driver does before it starts its device */
			oracle_attach_end(o, slot, true);
		}
	}
}

/* Both sides of a change, in the order of their numbers, so that two changes cannot wait for each other. */
static void design_change(struct machine_device *d, unsigned from, unsigned to, bool begin)
{
	void (*hook)(struct machine_domain *, bool) =
		begin ? d->m->design->change_begin : d->m->design->change_end;
	unsigned low = from < to ? from : to, high = from < to ? to : from;

	hook(table(d->m, low), d->ats);
	if (high != low)
		hook(table(d->m, high), d->ats);
}

/* The fault "no-barrier" strikes in each attach. */
static void attaching(struct machine *m, bool on)
{
	if (lab_fault(m->o, FAULT_NO_BARRIER, NULL))
		smmu_fetch_add(&m->own_strikes[FAULT_NO_BARRIER], on);
}

int machine_attach(struct machine_device *d, unsigned to)
{
	struct machine *m = d->m;
	unsigned slot = machine_slot(d, 0), from = oracle_attached(m->oracle, slot, NULL);
	bool both1 = is_stage1(m, from) && is_stage1(m, to);
	int rc = 0;

	/* With substreams one CD in a table of many changes in place, which takes a moment without it. */
	oracle_attach_begin(m->oracle, slot, to, both1 && !d->dev.ssid_bits && !m->faulty);
	if (!both1 || m->faulty)
		disturb(d, 0, true);
	design_change(d, from, to, true);
	attaching(m, to != ORACLE_BLOCKED);
	if (to == ORACLE_BLOCKED)
		smmu_detach(&d->dev);
	else
		rc = guest_enter(d, table(m, to));
	if (!rc && to != ORACLE_BLOCKED)
		rc = smmu_attach(&d->dev, machine_target(d, to));
	attaching(m, false);
	design_change(d, from, to, false);
	if (!both1 || m->faulty)
		disturb(d, 0, false);
	end(d, 0, from, rc);
	return rc;
}

int machine_attach_pasid(struct machine_device *d, unsigned slot, unsigned to)
{
	struct machine *m = d->m;
	unsigned of = machine_slot(d, slot), from = oracle_attached(m->oracle, of, NULL);
	bool quiet =
		!m->faulty && is_stage1(m, oracle_attached(m->oracle, machine_slot(d, 0), NULL));
	int rc = 0;

	oracle_attach_begin(m->oracle, of, to, false);
	if (!quiet)
		disturb(d, slot, true);
	design_change(d, from, to, true);
	attaching(m, to != ORACLE_BLOCKED);
	if (to == ORACLE_BLOCKED)
		smmu_detach_pasid(&d->dev, d->ssid[slot]);
	else
		rc = smmu_attach_pasid(&d->dev, d->ssid[slot], machine_target(d, to));
	attaching(m, false);
	design_change(d, from, to, false);
	if (!quiet)
		disturb(d, slot, false);
	end(d, slot, from, rc);
	return rc;
}

/* Everything of the device goes; @off: the SMMU itself was taken away, and nobody has to confirm anything. */
void machine_block(struct machine_device *d, bool begin, bool off)
{
	struct oracle *o = d->m->oracle;
	unsigned k;

	for (k = 0; k < MACHINE_SSIDS; k++) {
		unsigned slot = machine_slot(d, k);

		if (begin) {
			unsigned from = oracle_attached(o, slot, NULL);

			oracle_attach_begin(o, slot, ORACLE_BLOCKED, false);
			/* What it leads to now it may lead to afterwards, if the SMMU does not confirm. */
			if (!off && d->m->faulty)
				oracle_doubt(o, slot, from);
		} else {
			if (off)
				oracle_certain(o, slot);
			smmu_mb(); /* as a driver does before it starts its device */
			oracle_attach_end(o, slot, true);
		}
	}
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
