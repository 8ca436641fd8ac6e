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

/** Operations of an attachment: the tag, two for each ATC, and what was combined under the tag. */
static size_t set_size(uint32_t nr)
{
	return (2 + 2 * (size_t)nr) * sizeof(struct smmu_inv);
}

size_t smmu_streams_size(uint32_t nr)
{
	return sizeof(struct smmu_streams) + set_size(nr) +
	       nr * (3 * sizeof(struct smmu_cmd) + sizeof(struct smmu_ste *) + sizeof(uint32_t));
}

/** Cut the block behind @p s up: what is aligned most comes first. */
static void lay_out(struct smmu_streams *s)
{
	s->set = (struct smmu_inv *)(s + 1);
	s->cfgi = (struct smmu_cmd *)((char *)s->set + set_size(s->room));
	s->scratch = s->cfgi + s->room;
	s->ste = (struct smmu_ste **)(s->scratch + 2 * (size_t)s->room);
	s->id = (uint32_t *)(s->ste + s->room);
}

/** Let id[@p i] sink to its place in a heap of @p n, the largest on top. */
static void sink(uint32_t *id, uint32_t i, uint32_t n)
{
	uint32_t v = id[i], child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && id[child + 1] > id[child])
			child++;
		if (id[child] <= v)
			break;
		id[i] = id[child];
		i = child;
	}
	id[i] = v;
}

/** Sort the StreamIDs, and name each once. */
static void sort_ids(struct smmu_streams *s)
{
	uint32_t *id = s->id, kept = 1;

	for (uint32_t i = s->nr / 2; i-- > 0;)
		sink(id, i, s->nr);
	for (uint32_t n = s->nr; n-- > 1;) {
		uint32_t last = id[n];

		id[n] = id[0];
		id[0] = last;
		sink(id, 0, n);
	}
	for (uint32_t i = 1; i < s->nr; i++)
		if (id[i] != id[kept - 1])
			id[kept++] = id[i];
	s->nr = kept;
}

int smmu_streams_make(const struct smmu_device_config *cfg, unsigned ssid_bits,
		      struct smmu_streams **made)
{
	const struct smmu_port *port = cfg->instance->port;
	uint32_t room = cfg->nr_streams;
	struct smmu_streams *s = port->ops->alloc(port->ctx, smmu_streams_size(room));
	int error;

	if (!s)
		return -SMMU_ENOMEM;
	*s = (struct smmu_streams){
		.instance = cfg->instance, .name = cfg->name, .nr = room, .room = room};
	/* What a former owner has not answered is lost as well. */
	s->stalls_lost = smmu_load(&cfg->instance->stalls_lost) - !!cfg->instance->adoption;
	lay_out(s);
	for (uint32_t i = 0; i < room; i++)
		s->id[i] = cfg->streams[i];
	sort_ids(s);
	/* Without Leaf: the level-1 descriptor may have been cached before there was a table (strtab.c). */
	for (uint32_t i = 0; i < s->nr; i++)
		s->cfgi[i] = smmu_cmd_cfgi_ste(s->id[i], false);
	smmu_spin_init(&s->ste_lock);
	error = smmu_cdtab_init(s, ssid_bits);
	if (error)
		port->ops->free(port->ctx, s, smmu_streams_size(room));
	else
		*made = s;
	return error;
}

void smmu_streams_free(struct smmu_streams *s)
{
	const struct smmu_port *port = s->instance->port;

	if (smmu_streams_cut(s))
		smmu_inv_cut_end(&s->instance->target, &s->owner);
	smmu_cdtab_fini(s);
	port->ops->free(port->ctx, s, smmu_streams_size(s->room));
}

int smmu_streams_forget(struct smmu_streams *s, bool may_sleep)
{
	return smmu_instance_issue(s->instance, s->cfgi, s->nr, may_sleep);
}

static int forget(void *ctx)
{
	return smmu_streams_forget(ctx, true);
}

bool smmu_streams_hitless(const struct smmu_streams *s, const struct smmu_ste *ste)
{
	if (s->mixed)
		return false;
	return smmu_entry_hitless(&smmu_ste_kind, s->instance->port, s->ste[0]->w, ste->w);
}

static uint64_t *live_ste(void *ctx, unsigned i)
{
	struct smmu_streams *s = ctx;

	return s->ste[i]->w;
}

int smmu_streams_write(struct smmu_streams *s, const struct smmu_ste *ste)
{
	struct smmu_entry_change change = {
		.port = s->instance->port,
		.kind = &smmu_ste_kind,
		.live = live_ste,
		.n = s->nr,
		.sync = forget,
		.ctx = s,
		.lock = &s->ste_lock,
		.frozen = &s->owner.cut,
	};

	return smmu_entry_change(&change, ste->w);
}

bool smmu_streams_reach_cds(struct smmu_streams *s)
{
	/* A sweep may be cutting them off: that they abort in memory says no more until it is confirmed. */
	smmu_irqflags flags = smmu_spin_lock(&s->ste_lock);
	bool reach = smmu_load(&s->unconfirmed) || smmu_load(&s->owner.cut) == SMMU_CUT_BEGUN ||
		     smmu_field_get(SMMU_STE_W0_CONFIG, smmu_load(&s->ste[0]->w[0])) ==
			     SMMU_STE_CONFIG_S1;

	smmu_spin_unlock(&s->ste_lock, flags);
	return reach;
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

	smmu_store(&s->kept, 0);
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
		      ": its ATC does not answer: the device is cut off until it was reset, or is "
		      "added anew");
	smmu_message_log(&m, s->instance->port, SMMU_LOG_ERROR);
}

/* Whoever is in the middle of an attach finds `cut` set before its next store, and stores nothing more. */
static int cut_off(struct smmu_streams *s, bool resting, bool may_sleep)
{
	smmu_irqflags flags;
	uint32_t before;
	int error;

	/* One that is being let back aborts as well, until its `cut` is gone. */
	if (SMMU_BARRIER(cut_seen, smmu_load_acquire(&s->owner.cut)) > SMMU_CUT_BEGUN)
		return 0;
	flags = smmu_spin_lock(&s->ste_lock);
	before = smmu_load(&s->owner.cut);
	if (before == SMMU_CUT_NO) {
		/* What somebody else has written is gone: so whoever sees the cut sees that. */
		smmu_store(&s->kept, 0);
		smmu_store(&s->resting, resting);
		smmu_inv_cut_begin(&s->instance->target, &s->owner);
	}
	halt(s);
	smmu_spin_unlock(&s->ste_lock, flags);
	if (before == SMMU_CUT_NO && !resting) {
		smmu_count(&s->instance->counts.quarantines, 1);
		SMMU_TRACE_QUARANTINE(s);
		tell_cut_off(s);
	}
	error = smmu_streams_forget(s, may_sleep);
	if (!error)
		SMMU_BARRIER(cut_done, smmu_store_release(&s->owner.cut, SMMU_CUT_DONE));
	return error;
}

int smmu_streams_cut_off(struct smmu_streams *s)
{
	return cut_off(s, false, false);
}

int smmu_streams_rest(struct smmu_streams *s, bool may_sleep)
{
	return cut_off(s, true, may_sleep);
}

void smmu_streams_let_back(struct smmu_streams *s)
{
	struct smmu_instance *inst = s->instance;

	smmu_mutex_lock(&inst->lock);
	smmu_inv_cut_lift(&inst->target, &s->owner);
	smmu_mutex_unlock(&inst->lock);
	/* Fact 6 of the sweep, as for a device that joins. */
	if (s->ats)
		smmu_rcu_synchronize(inst->port->rcu);
	smmu_store(&s->resting, 0);
	smmu_inv_cut_end(&inst->target, &s->owner);
}

int smmu_streams_clear_atc(struct smmu_streams *s, uint32_t ssid, bool all)
{
	struct smmu_cmd *cmd = s->scratch;
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
