/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that are added, reset or pulled out, or come back from being cut off. While a device is being reset it reaches
 * nothing, so the judge takes it to be attached to nothing; what the driver keeps for it is noted beside (machine_device.kept).
 */
#include "machine_build.h"
#include "machine_pages.h"

static int on_set_ats(void *ctx, bool on, unsigned stu)
{
	struct machine_device *d = ctx;
	smmu_irqflags flags = 0;
	unsigned k;

	/* As an access of a register: nobody comes in the middle of it. */
	if (!d->m->sim)
		flags = smmu_irq_save();
	for (k = 0; d->m->backend.ops->set_ats && k < d->n_streams; k++)
		d->m->backend.ops->set_ats(d->m->backend.ctx, d->smmu, d->stream[k], on, stu);
	if (!d->m->sim)
		smmu_irq_restore(flags);
	return 0;
}

static const struct smmu_device_ops device_ops = {.set_ats = on_set_ats};

int machine_add_device(struct machine_device *d)
{
	struct smmu_device_config cfg = {
		.instance = &d->m->smmu[d->smmu].inst,
		.streams = d->stream,
		.nr_streams = d->n_streams,
		.ssid_bits = d->ssid_bits,
		.ats = d->ats,
		.ats_always = d->ats_always,
		.stalls = d->stalls,
		.ops = &device_ops,
		.ctx = d,
	};
	int rc = smmu_device_init(&d->dev, &cfg);
	unsigned k;

	/* Its STEs abort, and the SMMU has been told. */
	for (k = 0; !rc && k < MACHINE_SSIDS; k++) {
		oracle_certain(d->m->oracle, machine_slot(d, k));
		smmu_store(&d->quiet[k], false);
	}
	smmu_store(&d->guests, 0);
	smmu_store_release(&d->present, !rc);
	return rc;
}

static void reset_hw(struct machine_device *d)
{
	struct machine *m = d->m;
	unsigned k;

	machine_pages_forget(d);
	for (k = 0; m->backend.ops->reset_device && k < d->n_streams; k++)
		m->backend.ops->reset_device(m->backend.ctx, d->smmu, d->stream[k]);
	machine_pages_back(d);
}

int machine_reset_begin(struct machine_device *d)
{
	unsigned k;
	int rc;

	for (k = 0; k < MACHINE_SSIDS; k++)
		d->kept[k] = oracle_attached(d->m->oracle, machine_slot(d, k), NULL);
	machine_block(d, true, false);
	rc = smmu_device_reset_prepare(&d->dev);
	machine_block(d, false, !rc && machine_confirmed(d));
	return rc;
}

int machine_reset_attach(struct machine_device *d, unsigned slot, unsigned to)
{
	int rc = 0;

	if (to == ORACLE_BLOCKED && slot)
		smmu_detach_pasid(&d->dev, d->ssid[slot]);
	else if (to == ORACLE_BLOCKED)
		smmu_detach(&d->dev);
	else if (slot)
		rc = smmu_attach_pasid(&d->dev, d->ssid[slot], machine_target(d, to));
	else
		rc = smmu_attach(&d->dev, machine_target(d, to));
	d->kept[slot] = rc ? machine_driver_says(d, slot) : to;
	return rc;
}

/* What is kept for slot @k; a former owner's STE is not, where the device has been cut off since. */
static unsigned kept(const struct machine_device *d, unsigned k)
{
	bool cut_off;

	/* What we have stored lands, where we look; what a sweep elsewhere has may show by either. */
	smmu_mb();
	cut_off = smmu_load(&d->adopted) && (smmu_device_quarantined(&d->dev) ||
					     (d->dev.streams && !smmu_load(&d->dev.streams->kept)));
	return cut_off ? ORACLE_BLOCKED : d->kept[k];
}

/* Each slot is led to what is kept for it. @rc: it was, or not, and then the judge takes anything for right. */
static void lead(struct machine_device *d, bool begin, int rc)
{
	struct oracle *o = d->m->oracle;
	unsigned k;

	for (k = 0; k < MACHINE_SSIDS; k++) {
		unsigned slot = machine_slot(d, k);

		if (begin) {
			oracle_attach_begin(o, slot, kept(d, k), false);
			continue;
		}
		if (!rc && machine_confirmed(d))
			oracle_certain(o, slot);
		else
			oracle_doubt(o, slot, d->kept[k]);
		smmu_mb(); /* as a driver does before it starts its device */
		oracle_attach_end(o, slot, true);
	}
	machine_note_guest(d);
}

int machine_reset_end(struct machine_device *d)
{
	int rc;

	reset_hw(d);
	lead(d, true, 0);
	rc = smmu_device_reset_done(&d->dev);
	lead(d, false, rc);
	return rc;
}

int machine_recover(struct machine_device *d)
{
	unsigned k;
	int rc;

	for (k = 0; k < MACHINE_SSIDS; k++)
		d->kept[k] = oracle_attached(d->m->oracle, machine_slot(d, k), NULL);
	lead(d, true, 0);
	reset_hw(d);
	rc = smmu_device_recover(&d->dev);
	lead(d, false, rc);
	return rc;
}

void machine_pull(struct machine_device *d)
{
	struct machine *m = d->m;
	unsigned k;

	machine_block(d, true, false);
	for (k = 0; m->backend.ops->pull_device && k < d->n_streams; k++)
		m->backend.ops->pull_device(m->backend.ctx, d->smmu, d->stream[k]);
	/* Nobody has noticed yet. */
	machine_pause(m, 3000);
	smmu_device_gone(&d->dev);
	machine_pages_forget(d);
	machine_block(d, false, machine_confirmed(d));
}

int machine_reset_device(struct machine_device *d)
{
	struct machine *m = d->m;
	unsigned tries = 0;
	int rc;

	machine_block(d, true, false);
	machine_change_all(m, true);
	smmu_device_fini(&d->dev);
	machine_change_all(m, false);
	smmu_store_release(&d->present, 0);
	machine_block(d, false, false);
	reset_hw(d);
	do
		rc = machine_add_device(d);
	while (machine_try_again(m, rc, &tries));
	return rc;
}
