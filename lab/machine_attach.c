/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices are attached to: attach, detach, and what the judge is told of it before and after. */
#include "machine_build.h"

#include <smmuv3/nested.h>

#include "former.h"
#include "guest.h"

/* The attachment's driver object; NULL: blocked. */
struct smmu_domain *machine_target(const struct machine_device *d, unsigned to)
{
	struct machine *m = d->m;

	if (to == ORACLE_IDENTITY)
		return &m->identity;
	return to == ORACLE_BLOCKED ? NULL : guest_target(&m->domain[to], d);
}

static struct machine_domain *table(struct machine *m, unsigned to)
{
	return to < m->domains + m->visitors ? &m->domain[to] : NULL;
}

static bool is_stage1(const struct machine *m, unsigned to)
{
	return to < m->domains + m->visitors && m->domain[to].stage == 1;
}

static bool is_guests(const struct smmu_domain *domain)
{
	return domain && domain->vsmmu;
}

/* The device is taken, and what it is attached to is certain, or in doubt by the judge. */
void machine_note_guest(struct machine_device *d)
{
	smmu_store(&d->guests, !is_guests(d->dev.domain) ? 0
			       : guest_has_substreams(d) ? MACHINE_GUESTS_SUBSTREAMS
							 : MACHINE_GUESTS);
}

/* What the driver takes slot @slot to be attached to, after a call of which the judge cannot know what it left. */
unsigned machine_driver_says(const struct machine_device *d, unsigned slot)
{
	const struct smmu_domain *domain = d->dev.domain;
	struct machine *m = d->m;
	unsigned i;

	if (is_guests(domain))
		return guest_leads(d, domain, slot);
	if (slot)
		domain = smmu_device_pasid(&d->dev, d->ssid[slot]);
	if (domain == &m->identity)
		return ORACLE_IDENTITY;
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
void machine_changed(struct machine_device *d, unsigned slot, unsigned from, int rc)
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
	/* Whatever waited for what it left has been ended. */
	if (!rc && from != to && from != ORACLE_BLOCKED)
		smmu_fetch_add(&d->moves[slot], 1);
	oracle_attach_end(o, of, !rc || moved);
}

/*
 * What slot @slot leads to when the device's own traffic is attached to @target (NULL: nothing), which the load knows as @to. A
 * guest has a say in its substreams, too; where the device leaves one, they lead nowhere.
 */
static unsigned leads(const struct machine_device *d, const struct smmu_domain *target, unsigned to,
		      unsigned slot)
{
	if (is_guests(target))
		return guest_leads(d, target, slot);
	if (slot && is_guests(d->dev.domain))
		return ORACLE_BLOCKED;
	return slot ? oracle_attached(d->m->oracle, machine_slot(d, slot), NULL) : to;
}

/*
 * Traffic of the same streams that may be refused while their STEs change, though it is not what is changed; or is, by a guest
 * that is entered or left (@target, as above).
 */
static void disturb_begin(struct machine_device *d, unsigned except,
			  const struct smmu_domain *target)
{
	struct oracle *o = d->m->oracle;
	unsigned k;

	for (k = 0; d->ssid_bits && k < MACHINE_SSIDS; k++) {
		unsigned slot = machine_slot(d, k);

		d->was[k] = oracle_attached(o, slot, NULL);
		if (k != except)
			oracle_attach_begin(o, slot, leads(d, target, d->was[k], k), false);
	}
}

static void disturb_end(struct machine_device *d, unsigned except, bool guests, int rc)
{
	struct oracle *o = d->m->oracle;
	unsigned k;

	for (k = 0; d->ssid_bits && k < MACHINE_SSIDS; k++) {
		unsigned slot = machine_slot(d, k);

		if (k == except)
			continue;
		/* It may not have got where it was to go, or have been there: nobody knows. */
		if (guests && !machine_confirmed(d)) {
			oracle_doubt(o, slot, d->was[k]);
			oracle_doubt(o, slot, oracle_attached(o, slot, NULL));
		}
		if (guests && machine_driver_says(d, k) != oracle_attached(o, slot, NULL))
			oracle_attach_begin(o, slot, machine_driver_says(d, k), false);
		smmu_mb(); /* as a driver does before it starts its device */
		/* Whatever waited for what a guest led it to has been ended. */
		if (guests && !rc && d->was[k] != ORACLE_BLOCKED &&
		    d->was[k] != oracle_attached(o, slot, NULL))
			smmu_fetch_add(&d->moves[k], 1);
		oracle_attach_end(o, slot, true);
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

/* By its guest, or by the host, which cannot fail. */
static void block(struct machine_device *d)
{
	struct smmu_domain *aborts = guest_blocks(d);

	if (!aborts || smmu_attach(&d->dev, aborts))
		smmu_detach(&d->dev);
}

/* Does the change from slot 0's attachment go without a gap? Not from one geometry of stage 2 to another, see adopt.h. */
static bool no_gap(const struct machine_device *d, unsigned from, unsigned to)
{
	const struct machine *m = d->m;
	const struct former *f = m->smmu[d->smmu].former;
	bool two = from < m->domains + m->visitors && m->domain[from].stage == 2;

	if (m->faulty || to == ORACLE_BLOCKED)
		return false;
	/* Nor to a guest's, which others may be in. */
	if (to < m->domains + m->visitors && m->domain[to].guest)
		return from == ORACLE_IDENTITY;
	/* ATS beside identity is a stage 1 by which accesses pass. */
	if (f)
		return former_no_gap(
			f, d, to != ORACLE_IDENTITY ? m->domain[to].stage : d->ats_always, m->lse2);
	if (!two || to == ORACLE_IDENTITY || m->domain[to].stage == 1)
		return true;
	return m->lse2;
}

/* A device that goes by what somebody else has written (machine_device.adopted). */
static int take_over(struct machine_device *d, unsigned to)
{
	struct machine *m = d->m;
	struct oracle *o = m->oracle;
	struct smmu_domain *target = machine_target(d, to);
	unsigned was[MACHINE_SSIDS], lead[MACHINE_SSIDS], k;
	bool kept, sure;
	int rc = 0;

	for (k = 0; k < MACHINE_SSIDS; k++) {
		was[k] = oracle_attached(o, machine_slot(d, k), NULL);
		lead[k] = k && !is_guests(target) ? ORACLE_BLOCKED : leads(d, target, to, k);
		oracle_attach_begin(o, machine_slot(d, k), lead[k], !k && no_gap(d, was[0], to));
	}
	if (to == ORACLE_BLOCKED)
		smmu_detach(&d->dev);
	else
		rc = guest_enter(d, to < m->domains + m->visitors ? &m->domain[to] : NULL);
	if (!rc && to != ORACLE_BLOCKED)
		rc = smmu_attach(&d->dev, target);
	/* What the driver has stored is in memory then, where we look. */
	smmu_mb();
	kept = d->dev.streams && smmu_load(&d->dev.streams->kept);
	sure = machine_confirmed(d);
	for (k = 0; k < MACHINE_SSIDS; k++) {
		unsigned slot = machine_slot(d, k);

		/* A guest may have been left for nothing, or the SMMU did not confirm. */
		if (rc && !kept)
			oracle_attach_begin(o, slot, machine_driver_says(d, k), false);
		if (!sure) {
			oracle_doubt(o, slot, was[k]);
			oracle_doubt(o, slot, lead[k]);
		}
		smmu_mb(); /* as a driver does before it starts its device */
		oracle_attach_end(o, slot, !kept);
	}
	smmu_store(&d->adopted, kept);
	machine_note_guest(d);
	return rc;
}

int machine_attach(struct machine_device *d, unsigned to)
{
	struct machine *m = d->m;
	unsigned slot = machine_slot(d, 0), from = oracle_attached(m->oracle, slot, NULL);
	bool both1 = is_stage1(m, from) && is_stage1(m, to);
	struct smmu_domain *target;
	bool guests;
	int rc = 0;

	if (smmu_load(&d->adopted))
		return take_over(d, to);
	target = machine_target(d, to);
	guests = is_guests(target) || is_guests(d->dev.domain);
	/* With substreams one CD in a table of many changes in place, which takes a moment without it. */
	oracle_attach_begin(m->oracle, slot, leads(d, target, to, 0),
			    both1 && !d->dev.ssid_bits && !m->faulty);
	if (!both1 || m->faulty)
		disturb_begin(d, 0, target);
	design_change(d, from, to, true);
	attaching(m, to != ORACLE_BLOCKED);
	if (to == ORACLE_BLOCKED)
		block(d);
	else
		rc = guest_enter(d, table(m, to));
	if (!rc && to != ORACLE_BLOCKED)
		rc = smmu_attach(&d->dev, target);
	attaching(m, false);
	design_change(d, from, to, false);
	if (!both1 || m->faulty)
		disturb_end(d, 0, guests, rc);
	machine_changed(d, 0, from, rc);
	machine_note_guest(d);
	return rc;
}

int machine_attach_pasid(struct machine_device *d, unsigned slot, unsigned to)
{
	struct machine *m = d->m;
	unsigned of = machine_slot(d, slot), from = oracle_attached(m->oracle, of, NULL);
	bool quiet =
		!m->faulty && is_stage1(m, oracle_attached(m->oracle, machine_slot(d, 0), NULL));
	bool guests = is_guests(d->dev.domain);
	int rc = 0;

	smmu_store(&d->quiet[slot], false);
	/* Where a guest has the device the host has no say, and a detach finds nothing. */
	oracle_attach_begin(m->oracle, of, guests ? from : to, false);
	if (!quiet)
		disturb_begin(d, slot, d->dev.domain);
	design_change(d, from, to, true);
	attaching(m, to != ORACLE_BLOCKED);
	if (to == ORACLE_BLOCKED)
		smmu_detach_pasid(&d->dev, d->ssid[slot]);
	else
		rc = smmu_attach_pasid(&d->dev, d->ssid[slot], machine_target(d, to));
	attaching(m, false);
	design_change(d, from, to, false);
	if (!quiet)
		disturb_end(d, slot, guests, rc);
	machine_changed(d, slot, from, rc);
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
	if (!begin)
		smmu_store(&d->guests, 0);
}

void machine_change_all(struct machine *m, bool begin)
{
	unsigned i;

	for (i = 0; i < m->domains; i++) {
		if (begin)
			m->design->change_begin(&m->domain[i], true);
		else
			m->design->change_end(&m->domain[i], true);
	}
}
