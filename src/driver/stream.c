/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The streams of a device: changing their STEs, clearing their ATCs, cutting them off.
 *
 * What the SMMU has not confirmed is not done: `unconfirmed` stands until every cached STE and CD of the streams was
 * invalidated and that was waited for, and until then whoever was attached stays in its domain's array, so that each
 * unmap there goes on asking, and the domain keeps its tables and its id.
 *
 * With STE.CONFIG = abort and CR0.ATSCHK = 1 the SMMU refuses what a device has translated by itself as well
 * (IHI 0070 G.b, 3.9.1.3), so the ATC of streams that were cut off, and confirmed to be, may hold what it likes.
 * (Not so for CXL.cache, whose accesses an SMMU need not check: 3.9.3. Such devices do not get ATS from this library.)
 */
#include "driver.h"

int smmu_streams_make(const struct smmu_device_config *cfg, unsigned ssid_bits,
		      struct smmu_streams **made)
{
	const struct smmu_port *port = cfg->instance->port;
	struct smmu_streams *s = port->ops->alloc(port->ctx, sizeof(*s));
	int error;

	if (!s)
		return -SMMU_ENOMEM;
	*s = (struct smmu_streams){
		.instance = cfg->instance, .name = cfg->name, .nr = cfg->nr_streams};
	for (uint32_t i = 0; i < s->nr; i++)
		s->id[i] = cfg->streams[i];
	smmu_spin_init(&s->ste_lock);
	error = smmu_cdtab_init(s, ssid_bits);
	if (error)
		port->ops->free(port->ctx, s, sizeof(*s));
	else
		*made = s;
	return error;
}

void smmu_streams_free(struct smmu_streams *s)
{
	const struct smmu_port *port = s->instance->port;

	smmu_cdtab_fini(s);
	port->ops->free(port->ctx, s, sizeof(*s));
}

int smmu_streams_forget(struct smmu_streams *s, bool may_sleep)
{
	struct smmu_cmd cmd[SMMU_DEVICE_STREAMS];

	/* Without Leaf: the level-1 descriptor may have been cached before there was a table (strtab.c). */
	for (uint32_t i = 0; i < s->nr; i++)
		cmd[i] = smmu_cmd_cfgi_ste(s->id[i], false);
	return smmu_instance_issue(s->instance, cmd, s->nr, may_sleep);
}

static int forget(void *ctx)
{
	return smmu_streams_forget(ctx, true);
}

bool smmu_streams_hitless(const struct smmu_streams *s, const struct smmu_ste *ste)
{
	return smmu_entry_hitless(&smmu_ste_kind, s->instance->port, s->ste[0]->w, ste->w);
}

int smmu_streams_write(struct smmu_streams *s, const struct smmu_ste *ste)
{
	struct smmu_entry_change change = {
		.port = s->instance->port,
		.kind = &smmu_ste_kind,
		.n = s->nr,
		.sync = forget,
		.ctx = s,
		.lock = &s->ste_lock,
		.frozen = &s->owner.cut,
	};

	for (uint32_t i = 0; i < s->nr; i++)
		change.live[i] = s->ste[i]->w;
	return smmu_entry_change(&change, ste->w);
}

bool smmu_streams_reach_cds(const struct smmu_streams *s)
{
	return smmu_load(&s->unconfirmed) ||
	       smmu_field_get(SMMU_STE_W0_CONFIG, smmu_load(&s->ste[0]->w[0])) ==
		       SMMU_STE_CONFIG_S1;
}

/** Under ste_lock. */
static void halt(struct smmu_streams *s)
{
	for (uint32_t i = 0; i < s->nr; i++) {
		struct smmu_ste *ste = s->ste[i];

		smmu_store(&ste->w[0], smmu_ste_kind.halt(ste->w));
		smmu_port_clean(s->instance->port, ste, sizeof(*ste));
	}
}

void smmu_streams_halt(struct smmu_streams *s)
{
	smmu_irqflags flags = smmu_spin_lock(&s->ste_lock);

	halt(s);
	smmu_spin_unlock(&s->ste_lock, flags);
}

static void tell_cut_off(const struct smmu_streams *s)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, s->instance->name), "stream ");
	smmu_text_hex(&m.text, s->id[0], 1);
	if (s->name) {
		smmu_text_str(&m.text, " (");
		smmu_text_str(&m.text, s->name);
		smmu_text_str(&m.text, ")");
	}
	smmu_text_str(&m.text,
		      ": its ATC does not answer: the device is cut off until it is added anew");
	smmu_message_log(&m, s->instance->port, SMMU_LOG_ERROR);
}

/* Whoever is in the middle of an attach finds `cut` set before its next store, and stores nothing more. */
int smmu_streams_cut_off(struct smmu_streams *s)
{
	smmu_irqflags flags;
	uint32_t before;
	int error;

	if (SMMU_BARRIER(cut_seen, smmu_load_acquire(&s->owner.cut)) == SMMU_CUT_DONE)
		return 0;
	flags = smmu_spin_lock(&s->ste_lock);
	before = smmu_load(&s->owner.cut);
	if (before == SMMU_CUT_NO)
		smmu_inv_cut_begin(&s->instance->target, &s->owner);
	halt(s);
	smmu_spin_unlock(&s->ste_lock, flags);
	if (before == SMMU_CUT_NO) {
		smmu_count(&s->instance->counts.quarantines, 1);
		SMMU_TRACE_QUARANTINE(s);
		tell_cut_off(s);
	}
	error = smmu_streams_forget(s, false);
	if (!error)
		SMMU_BARRIER(cut_done, smmu_store_release(&s->owner.cut, SMMU_CUT_DONE));
	return error;
}

int smmu_streams_clear_atc(struct smmu_streams *s, uint32_t ssid, bool all)
{
	struct smmu_cmd cmd[2 * SMMU_DEVICE_STREAMS];
	uint32_t n = 0;
	int error = -SMMU_EIO;

	for (uint32_t i = 0; i < s->nr; i++) {
		cmd[n++] = smmu_cmd_atc_inv(s->id[i], ssid != 0, ssid, false, 0,
					    SMMU_CMD_ATC_INV_SIZE_ALL);
		/* G = 1: under every substream (IHI 0070 G.b, 4.5.1). */
		if (all && (s->cdtab.log2size || s->guest_substreams))
			cmd[n++] = smmu_cmd_atc_inv(s->id[i], true, 0, true, 0,
						    SMMU_CMD_ATC_INV_SIZE_ALL);
	}
	if (!smmu_streams_cut(s))
		error = smmu_instance_issue_atc(s->instance, cmd, n);
	/* Only these streams were asked. */
	if (error == -SMMU_ETIMEDOUT || smmu_streams_cut(s))
		smmu_streams_cut_off(s);
	return error ? -SMMU_EIO : 0;
}

void smmu_streams_settle(struct smmu_streams *s)
{
	const struct smmu_port *port = s->instance->port;
	struct smmu_attachment *a;

	if (smmu_load(&s->unconfirmed))
		return;
	while ((a = s->leaving)) {
		s->leaving = a->next;
		smmu_domain_leave(s, a);
		port->ops->free(port->ctx, a, sizeof(*a));
	}
}

void smmu_streams_drop(struct smmu_streams *s)
{
	const struct smmu_port *port = s->instance->port;
	struct smmu_attachment *a;

	while ((a = s->leaving)) {
		s->leaving = a->next;
		smmu_domain_drop(s, a);
		port->ops->free(port->ctx, a, sizeof(*a));
	}
	smmu_store(&s->unconfirmed, 0);
}
