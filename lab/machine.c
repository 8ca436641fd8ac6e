/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting a system up and taking it down. */
#include "machine_build.h"

#include <smmuv3/dirty.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "machine_adopt.h"
#include "machine_power.h"
#include "machine_qemu.h"
#include "machine_pages.h"
#include "machine_table.h"
#include "owner.h"

static int open_timeline(struct machine *m)
{
	if (!m->o->timeline || !m->sim)
		return 0;
	m->timeline = timeline_create(m->sim, m->smmus);
	return m->timeline ? 0 : machine_fail(m, "out of memory");
}

static int open_domains(struct machine *m, const struct machine_config *cfg)
{
	static const uint8_t granules[] = {12, 12, 16, 14};
	struct smmu_domain_config identity = {.port = &m->port, .kind = SMMU_DOMAIN_IDENTITY};
	bool coherent = true;
	unsigned i, kind, others = cfg->domains + cfg->visitors + MACHINE_FORMER_DOMAINS;

	m->domain = calloc(cfg->domains + cfg->visitors, sizeof(*m->domain));
	if (!m->domain)
		return machine_fail(m, "out of memory");
	for (i = 0; i < m->smmus; i++)
		coherent = coherent && m->topology.smmus[i].coherent && !m->o->non_coherent;
	if (m->o->dirty && !coherent)
		return machine_fail(m, "what devices write is tracked by coherent SMMUs alone, and "
				       "one of these is not");
	if (cfg->guest_substreams && !m->qemu && m->design == &design_sweep &&
	    others < ORACLE_MAX_DOMAINS)
		m->guests_with_substreams = (ORACLE_MAX_DOMAINS - others) / GUEST_VIEWS;
	for (i = 0; i < cfg->domains; i++) {
		struct machine_domain *d = &m->domain[i];
		struct smmu_domain_config c = {.port = &m->port, .non_coherent = !coherent};

		d->index = i;
		smmu_spin_init(&d->devices_lock);
		kind = m->o->stage[i % m->o->n_stages];
		d->stage = kind == 1 || kind == LAB_SVA ? 1 : 2;
		d->granule_shift = cfg->one_granule ? 12 : granules[i % 4];
		if (cfg->granule_shift)
			d->granule_shift = cfg->granule_shift;
		c.kind = d->stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
		c.granule_shift = d->granule_shift;
		c.dirty = m->o->dirty && kind != LAB_SVA;
		if (m->qemu) {
			c.oas = 44;
			c.ias = d->stage == 1 ? 48 : 44;
		}
		if (kind == LAB_SVA ? owner_open(m, d) : smmu_domain_init(&d->d, &c))
			return machine_fail(m, "domain %u cannot be made", i);
		if (c.dirty)
			smmu_domain_set_dirty_tracking(&d->d, true);
		m->domains++;
		m->owners += kind == LAB_SVA;
		if (kind == LAB_NESTED && guest_open(m, d))
			return machine_fail(m, "the guest of domain %u cannot be made", i);
	}
	for (i = 0; i < m->smmus; i++) {
		int rc = guest_smmu_up(m, i);

		if (rc)
			return machine_fail(m, "smmu %u has no virtual SMMUs: error %d", i, rc);
	}
	m->visitors = cfg->visitors;
	if (smmu_domain_init(&m->identity, &identity))
		return machine_fail(m, "the identity domain cannot be made");
	return 0;
}

int machine_attach_all(struct machine *m)
{
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];
		unsigned tries = 0;
		int rc;

		do
			rc = machine_attach(d, machine_own(m, (d->index + d->smmu) % m->domains));
		while (machine_try_again(m, rc, &tries));
		if (!rc)
			rc = owner_attach_pasids(d);

		if (rc && !machine_may_fail(m, rc)) {
			machine_fail(m, "device %u cannot be attached: error %d", i, rc);
			return rc;
		}
	}
	return 0;
}

static int set_up(struct machine *m, const struct machine_config *cfg)
{
	unsigned i;
	int rc;

	m->qemu = m->o->qemu;
	if (m->qemu ? machine_qemu_open(m, MACHINE_DATA_ALIGN + MACHINE_QEMU_HEAP, cfg->data_bytes)
		    : machine_load_topology(m))
		return 2;
	if (machine_reserved_init(m) || machine_place(m) || machine_make_memory(m, cfg) ||
	    open_timeline(m) || (!m->qemu && machine_open_backend(m, cfg)))
		return 2;
	m->heap_base = smmu_heap_live(&m->heap);
	if (owner_asids_init(m, cfg) || machine_pages_init(m))
		return machine_fail(m, "out of memory");
	for (i = 0; i < m->smmus; i++) {
		if (machine_open_smmu(m, i, cfg))
			return 2;
	}
	if (open_domains(m, cfg))
		return 2;
	m->oracle =
		oracle_create(m->domains + m->visitors + MACHINE_FORMER_DOMAINS + guest_views(m),
			      m->devices * MACHINE_SSIDS);
	if (!m->oracle)
		return machine_fail(m, "out of memory");
	if (m->o->dirty)
		oracle_log_writes(m->oracle);
	for (i = 0; i < m->domains; i++)
		machine_oracle_rule(m, &m->domain[i]);
	if (machine_reserved_watch(m, m->domains + m->visitors) || machine_adopt_watch(m) ||
	    guest_watch(m))
		return machine_fail(m, "out of memory");
	for (i = 0; i < m->domains; i++) {
		if (machine_reserved_map(m, &m->domain[i]))
			return machine_fail(m, "the reserved memory cannot be mapped");
	}
	for (i = 0; i < m->devices; i++) {
		rc = machine_add_device(&m->device[i]);
		if (rc)
			return machine_fail(
				m, "device %u (stream 0x%x of smmu %u) cannot be added: error %d",
				i, m->device[i].stream[0], m->device[i].smmu, rc);
	}
	machine_start_faults(m);
	return 0;
}

static void tear_down(struct machine *m)
{
	unsigned i;

	if (m->backend.ops) {
		if (m->backend.ops->stop)
			m->backend.ops->stop(m->backend.ctx);
		m->backend.ops->close(m->backend.ctx);
	}
	for (i = 0; m->smmu && i < m->smmus; i++)
		cmdlog_fini(&m->smmu[i].log);
	timeline_destroy(m->timeline);
	sim_destroy(m->sim);
	oracle_destroy(m->oracle);
	if (m->heap.page)
		smmu_heap_fini(&m->heap);
	smmu_shadow_destroy(&m->shadow);
	if (!m->qemu)
		smmu_ram_destroy(&m->ram);
	machine_free_topology(m);
	free(m->tags.word);
	free(m->reserved);
	free(m->asids);
	free(m->domain);
	free(m->device);
	free(m->smmu);
}

int machine_open(struct machine *m, const struct lab_config *o, const struct machine_config *cfg)
{
	*m = (struct machine){.o = o,
			      .design = design_get(o->design),
			      .want_nvme = cfg->nvme,
			      .few_ids = cfg->few_ids ? cfg->domains + 1 : 0};
	smmu_spin_init(&m->lock);
	smmu_mutex_init(&m->flush_lock);
	if (!set_up(m, cfg))
		return 0;
	machine_gone(m);
	machine_pages_free(m, NULL);
	tear_down(m);
	return 2;
}

/* Detach and remove everything; what the driver then still holds was lost. */
static void take_apart(struct machine *m)
{
	unsigned i, k;

	machine_adopt_close(m);
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; k < MACHINE_SSIDS; k++)
			oracle_attach_begin(m->oracle, machine_slot(d, k), ORACLE_BLOCKED, false);
		if (d->present)
			smmu_device_fini(&d->dev);
	}
	for (i = 0; i < m->smmus; i++) {
		if (smmu_load(&m->smmu[i].present))
			machine_check_dirt(m, i);
		machine_remove(m, i);
		machine_former_gone(m, i);
	}
	for (i = 0; i < m->domains; i++) {
		guest_close(m, &m->domain[i]);
		if (m->domain[i].owner && !owner_renumbered(m, &m->domain[i]) && !m->unconfirmed)
			machine_complain(m, 0, 0, "renumber",
					 "the former ASID of domain %u is in use after all "
					 "were detached",
					 i);
		if (smmu_domain_fini(&m->domain[i].d))
			machine_complain(m, 0, 0, "detach",
					 "domain %u still counts devices after all "
					 "were detached",
					 i);
	}
	for (i = 0; i < m->domains + m->visitors; i++) {
		guest_free(m, &m->domain[i]);
		owner_close(m, &m->domain[i]);
	}
	smmu_domain_fini(&m->identity);
	sim_rcu_drain(&m->posix.rcu);
	/* Tables that an unmap could not confirm to be free of walks are kept for ever. */
	if (smmu_heap_live(&m->heap) != m->heap_base && !m->violations && !m->unconfirmed)
		machine_complain(m, 0, 0, "free", "%llu blocks of memory were never given back",
				 (unsigned long long)(smmu_heap_live(&m->heap) - m->heap_base));
}

/* What the SMMUs of the violations are. */
static void describe(struct machine *m, struct report *r)
{
	unsigned i, k;

	for (i = 0; m->backend.ops->describe && i < m->violations; i++) {
		struct report_smmu *s = &r->smmu[r->described];

		for (k = 0; k < r->described && r->smmu[k].smmu != m->violation[i].smmu; k++)
			;
		if (k < r->described)
			continue;
		s->smmu = m->violation[i].smmu;
		m->backend.ops->describe(m->backend.ctx, s->smmu, s->text, sizeof(s->text));
		r->described++;
	}
}

void machine_close(struct machine *m, struct report *r)
{
	struct dma_count count = {0};
	const char *text;
	unsigned i;

	if (m->timeline && timeline_write(m->timeline, m->o->timeline)) {
		machine_fail(m, "--timeline %s: %s", m->o->timeline, strerror(errno));
		r->unwritten = true;
	}
	for (i = 0; i < m->smmus; i++) {
		if (m->backend.ops->counters)
			m->backend.ops->counters(m->backend.ctx, i, r);
		else
			cmdlog_count(&m->smmu[i].log, &r->commands);
	}
	machine_report_stats(m, r);
	machine_report_faults(m, r);
	machine_stop_faults(m);
	if (!m->hung) {
		machine_pages_check(m);
		machine_check_events(m);
		machine_power_close(m, &count);
		take_apart(m);
	}
	for (i = 0; i < m->smmus; i++) {
		if (m->backend.ops->misuse && m->backend.ops->misuse(m->backend.ctx, i, &text) &&
		    !m->o->n_inject)
			machine_complain(m, i, 0, "protocol",
					 "the driver broke the protocol of the "
					 "registers or queues of smmu %u: %s",
					 i, text ? text : "");
	}
	r->dma += count.dma;
	r->blocked += count.blocked;
	r->stale += count.stale;
	r->lost += count.lost;
	r->design = m->o->design;
	r->smmus = m->smmus;
	r->devices = m->devices;
	r->ats = m->ats;
	r->quarantined = m->quarantined;
	r->unconfirmed = m->unconfirmed;
	r->revived = m->revived;
	r->full = m->violations == REPORT_MAX_VIOLATIONS;
	r->violations = m->violations;
	describe(m, r);
	if (m->sim && m->o->interrupts) {
		r->masked_points = sim_longest_masked(m->sim).points;
		r->masked_ns = sim_longest_masked(m->sim).ns;
	}
	memcpy(r->violation, m->violation, sizeof(r->violation));
	machine_pages_free(m, r);
	tear_down(m);
}
