/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMMUs that somebody else has for a while (former.h), and that the driver then adopts while all their devices do DMA.
 *
 * To the judge a former owner's tables are two domains, one for each stage, in which the machine's own reserved memory is mapped for as
 * long as the run lasts. What an adoption keeps is promised to land at each moment, from before the adoption to after the
 * attach that leads the device to a domain of the driver. What it must not keep reaches nothing as soon as it is over.
 */
#include "machine_adopt.h"

#include "former.h"
#include "guest.h"
#include "machine_build.h"
#include "machine_pages.h"
#include "machine_table.h"
#include "owner.h"

static bool is_of(const struct machine_device *d, unsigned smmu)
{
	return d->smmu == smmu;
}

static int map(struct machine *m, unsigned domain, uint64_t iova, uint64_t size, uint64_t memory)
{
	if (oracle_window(m->oracle, domain, iova, size))
		return -1;
	oracle_map_begin(m->oracle, domain, iova, size, memory, ORACLE_READ | ORACLE_WRITE);
	oracle_map_end(m->oracle, domain, iova, size, true);
	return 0;
}

int machine_adopt_watch(struct machine *m)
{
	unsigned stage, i;

	if (machine_keeps(m))
		oracle_memory(m->oracle, MACHINE_KEPT_BASE, MACHINE_RESERVED_PIECE);
	for (stage = 1; m->o->adopt && stage <= 2; stage++) {
		unsigned domain = machine_former_domain(m, stage);
		const struct machine_reserved *r = NULL;

		oracle_rule(m->oracle, domain,
			    stage == 1 ? ORACLE_NOT_WRITABLE : ORACLE_PRIVILEGED_EXECUTES);
		for (i = 2; i >= 1; i--) {
			r = &m->reserved[m->n_reserved - i];
			if (map(m, domain, r->base, r->size, r->memory))
				return -1;
		}
		if (map(m, domain, machine_former_iova(m), r->size, r->memory))
			return -1;
	}
	return 0;
}

/* ---- the driver gives an SMMU up, and somebody takes it ---- */

/* All slots of the SMMU's devices are led to what the former owner has for them. */
static void lead(struct former *f, bool begin, bool ok)
{
	struct machine *m = f->m;
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		for (k = 0; is_of(d, f->smmu) && k < MACHINE_SSIDS; k++) {
			unsigned slot = machine_slot(d, k), to = former_leads(f, d, k);

			if (begin) {
				oracle_attach_begin(m->oracle, slot, to, false);
				continue;
			}
			/* Whether it has the SMMU then, nobody knows. */
			if (!ok)
				oracle_doubt(m->oracle, slot, to);
			smmu_mb();
			oracle_attach_end(m->oracle, slot, ok);
		}
	}
}

static void block_all(struct machine *m, unsigned smmu, bool begin, bool off)
{
	unsigned i;

	for (i = 0; i < m->devices; i++)
		if (is_of(&m->device[i], smmu))
			machine_block(&m->device[i], begin, off);
}

static int give_up(struct machine *m, unsigned smmu)
{
	unsigned i;
	int rc;

	block_all(m, smmu, true, !m->faulty);
	if (smmu_load(&m->smmu[smmu].present))
		machine_check_dirt(m, smmu);
	smmu_store(&m->smmu[smmu].present, 0);
	machine_pages_down(m, smmu);
	rc = machine_remove(m, smmu);
	if (!rc)
		guest_smmu_down(m, smmu);
	machine_pages_gone(m, smmu);
	for (i = 0; i < m->devices; i++)
		if (is_of(&m->device[i], smmu))
			smmu_store_release(&m->device[i].present, 0);
	machine_keep_stats(m, smmu);
	if (!rc) {
		machine_former_gone(m, smmu);
		/* No register is written, and its counters begin again. */
		smmu_instance_probe(&m->smmu[smmu].inst, &m->smmu[smmu].cfg);
	}
	block_all(m, smmu, false, !rc);
	return rc;
}

int machine_leave(struct machine *m, unsigned smmu, uint64_t seed)
{
	struct former *f = former_make(m, smmu, owner_asids_has, seed);
	int rc;
	bool ok;

	if (!f)
		return -SMMU_ENOMEM;
	rc = give_up(m, smmu);
	if (rc) {
		former_free(f);
		return rc;
	}
	m->smmu[smmu].former = f;
	lead(f, true, true);
	ok = former_start(f);
	lead(f, false, ok);
	smmu_store(&m->smmu[smmu].former_runs, ok);
	return ok ? 0 : -SMMU_ETIMEDOUT;
}

/* ---- adoption ---- */

/* Those that must not be kept, whatever they reached before. */
static void stop_refused(struct former *f, bool bypass, bool begin, int rc)
{
	struct machine *m = f->m;
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		/* After a time-out nothing passes, or nobody knows. */
		if (!is_of(d, f->smmu) || (rc != -SMMU_ETIMEDOUT && former_kept(f, d, bypass)))
			continue;
		for (k = 0; k < MACHINE_SSIDS; k++) {
			unsigned slot = machine_slot(d, k);

			if (begin || rc == -SMMU_ETIMEDOUT)
				oracle_attach_begin(m->oracle, slot, ORACLE_BLOCKED, false);
			if (begin)
				continue;
			if (rc == -SMMU_ETIMEDOUT)
				oracle_doubt(m->oracle, slot, former_leads(f, d, k));
			smmu_mb();
			oracle_attach_end(m->oracle, slot, !rc || rc == -SMMU_ETIMEDOUT);
		}
		if (!begin && !rc)
			smmu_store(&d->wild, 0);
	}
}

static void check_report(const struct former *f, const struct smmu_adopt_report *r, bool bypass)
{
	struct machine *m = f->m;
	unsigned i, kept = 0, passed = 0;

	for (i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		if (!is_of(d, f->smmu))
			continue;
		kept += former_kept(f, d, bypass) ? d->n_streams : 0;
		passed += f->of[i].config ? d->n_streams : 0;
	}
	if (r->kept != kept || (passed != kept) != (r->refused != 0))
		machine_complain(m, f->smmu, 0, "adoption",
				 "an adoption kept %u streams and refused %u (the first 0x%x: %s), "
				 "of %u that passed it has to keep %u",
				 r->kept, r->refused, r->first, r->first_why ? r->first_why : "-",
				 passed, kept);
}

static int take(struct former *f, bool bypass)
{
	struct machine *m = f->m;
	struct machine_smmu *s = &m->smmu[f->smmu];
	const struct smmu_adopt_memory memory[2] = {
		{f->first_bus, f->first_bytes, f->first},
		{f->arena_bus, f->arena_bytes, f->arena},
	};
	/* What the driver allocates; tables of the former owner lie there too, but nothing may lead there, but to the guest's. */
	const uint64_t heap = m->ram.base + (m->heap.first << SMMU_RAM_PAGE_SHIFT);
	const uint64_t behind = f->guest_bus + f->guest_bytes;
	const struct smmu_adopt_range own[2] = {
		{heap, f->guest_bus - heap},
		{behind, heap + (m->heap.pages << SMMU_RAM_PAGE_SHIFT) - behind},
	};
	const struct smmu_adopt_config cfg = {
		.memory = memory,
		.nr_memory = 2,
		.keep_out = own,
		.nr_keep_out = 2,
		.bypass = bypass,
		.tables = 1u << 20,
	};
	struct smmu_adopt_report report;
	int rc = smmu_instance_probe(&s->inst, &s->cfg);

	if (!rc)
		rc = smmu_instance_adopt(&s->inst, &cfg, &report);
	if (!rc)
		check_report(f, &report, bypass);
	return rc;
}

/* Nothing of it is damaged yet: does its turn come now? */
static bool strike(struct machine *m, struct former *f)
{
	unsigned every;

	if (!lab_fault(m->o, FAULT_ADOPT_CORRUPT, &every) ||
	    smmu_fetch_add(&m->adoptions, 1) % every != every - 1 || !former_damage(f))
		return false;
	smmu_fetch_add(&m->own_strikes[FAULT_ADOPT_CORRUPT], 1);
	return true;
}

static int add_devices(struct former *f, bool bypass)
{
	struct machine *m = f->m;
	unsigned i, tries;
	int rc = 0;

	for (i = 0; !rc && i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (!is_of(d, f->smmu))
			continue;
		smmu_store(&d->adopted, former_kept(f, d, bypass));
		/* Some go on for a while without anybody who wants them; not with ATS, which nobody could turn off. */
		if (!f->of[i].ats && smmu_random_chance(&f->random, 1, 6))
			continue;
		tries = 0;
		do
			rc = machine_add_device(d);
		while (machine_try_again(m, rc, &tries));
	}
	return rc;
}

int machine_adopt(struct machine *m, unsigned smmu, bool bypass)
{
	struct machine_smmu *s = &m->smmu[smmu];
	struct former *f = s->former;
	unsigned tries = 0;
	int rc;

	/* Something may be damaged since a try that failed. */
	if (strike(m, f) || f->hurt) {
		f->hurt = true;
		bypass = false;
	}
	stop_refused(f, bypass, true, 0);
	do
		rc = take(f, bypass);
	while (machine_try_again(m, rc, &tries));
	stop_refused(f, bypass, false, rc);
	s->events_lost = true;
	if (rc == -SMMU_ETIMEDOUT)
		smmu_store(&s->former_runs, 0);
	if (rc)
		return rc;
	smmu_store(&s->former_runs, 0);
	smmu_store(&s->broken, 0);
	smmu_store(&s->present, 1);
	rc = machine_crowd(m, smmu);
	if (rc)
		return rc;
	machine_pages_up(m, smmu);
	tries = 0;
	do
		rc = guest_smmu_up(m, smmu);
	while (machine_try_again(m, rc, &tries));
	return rc ? rc : add_devices(f, bypass);
}

int machine_adopt_end(struct machine *m, unsigned smmu)
{
	struct machine_smmu *s = &m->smmu[smmu];
	unsigned i;
	int rc;

	for (i = 0; i < m->devices; i++)
		if (is_of(&m->device[i], smmu) && smmu_load(&m->device[i].adopted))
			machine_block(&m->device[i], true, false);
	rc = smmu_instance_adopt_end(&s->inst);
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (!is_of(d, smmu) || !smmu_load(&d->adopted))
			continue;
		machine_block(d, false, !rc && machine_confirmed(d));
		smmu_store(&d->adopted, false);
	}
	if (!rc)
		former_end(s->former);
	return rc;
}

bool machine_adopts(const struct machine *m, unsigned smmu)
{
	const struct former *f = m->smmu[smmu].former;

	return f && f->arena && !smmu_load(&m->smmu[smmu].former_runs) &&
	       smmu_load(&m->smmu[smmu].present);
}

/* ---- the end of a run ---- */

void machine_adopt_close(struct machine *m)
{
	unsigned i;

	for (i = 0; i < m->smmus; i++) {
		if (machine_former_runs(m, i))
			former_stop(m->smmu[i].former);
		else if (machine_adopts(m, i))
			machine_adopt_end(m, i);
	}
}
