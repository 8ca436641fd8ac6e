/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State in words, for a person in the field. A dump is a reader like an interrupt handler: inside its read section nothing goes
 * away that it finds, registers are touched only while the instance is served, and no lock is taken, so that it may be asked for
 * in the middle of whatever hangs.
 */
#include "driver.h"

static void say(const struct smmu_message *m, const struct smmu_port *port)
{
	smmu_message_log(m, port, SMMU_LOG_INFO);
}

/** " NAME value" */
static void put_hex(struct smmu_text *t, const char *name, uint64_t value)
{
	smmu_text_str(t, name);
	smmu_text_hex(t, value, 1);
}

static void put_dec(struct smmu_text *t, const char *name, uint64_t value)
{
	smmu_text_str(t, name);
	smmu_text_dec(t, value);
}

/* ---- An instance ---- */

static void dump_features(const struct smmu_instance *inst)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{SMMU_FEAT_S1, " S1"},
		{SMMU_FEAT_S2, " S2"},
		{SMMU_FEAT_NESTED, " nested"},
		{SMMU_FEAT_COHERENT, " coherent"},
		{SMMU_FEAT_2LVL_STRTAB, " 2-level-STRTAB"},
		{SMMU_FEAT_2LVL_CDTAB, " 2-level-CDTAB"},
		{SMMU_FEAT_RANGE, " ranges"},
		{SMMU_FEAT_ATS, " ATS"},
		{SMMU_FEAT_PRI, " PRI"},
		{SMMU_FEAT_MSI, " MSI"},
		{SMMU_FEAT_SEV, " SEV"},
		{SMMU_FEAT_HYP, " EL2"},
		{SMMU_FEAT_STALL, " stalls"},
		{SMMU_FEAT_DIRTY, " dirty"},
		{SMMU_FEAT_4K, " 4K"},
		{SMMU_FEAT_16K, " 16K"},
		{SMMU_FEAT_64K, " 64K"},
	};
	const struct smmu_features *f = &inst->features;
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), inst->up     ? "up"
							  : inst->held ? "held"
								       : "down");
	if (inst->up && !smmu_load(&inst->serving))
		smmu_text_str(&m.text, ", suspended or being removed");
	put_hex(&m.text, "; IDR0 ", inst->idr0);
	put_hex(&m.text, " IDR1 ", inst->idr1);
	put_hex(&m.text, " IDR3 ", inst->idr3);
	put_hex(&m.text, " IDR5 ", inst->idr5);
	put_hex(&m.text, ", quirks ", inst->cfg.quirks);
	say(&m, inst->port);
	smmu_text_str(smmu_message_begin(&m, inst->name), "features");
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(names); i++)
		if (f->bits & names[i].bit)
			smmu_text_str(&m.text, names[i].name);
	put_dec(&m.text, "; streams 2^", f->sid_bits);
	put_dec(&m.text, ", substreams 2^", f->ssid_bits);
	put_dec(&m.text, ", ASIDs 2^", f->asid_bits);
	put_dec(&m.text, ", VMIDs 2^", f->vmid_bits);
	put_dec(&m.text, ", addresses ", f->oas);
	smmu_text_str(&m.text, " bits");
	say(&m, inst->port);
}

static void dump_registers(const struct smmu_instance *inst)
{
	static const struct {
		uint32_t offset;
		bool wide;
		const char *name; /**< NULL: the line ends */
	} regs[] = {
		{SMMU_CR0, false, " CR0 "},
		{SMMU_CR0ACK, false, " CR0ACK "},
		{SMMU_CR1, false, " CR1 "},
		{SMMU_CR2, false, " CR2 "},
		{SMMU_GBPA, false, " GBPA "},
		{SMMU_IRQ_CTRL, false, " IRQ_CTRL "},
		{SMMU_IRQ_CTRLACK, false, " IRQ_CTRLACK "},
		{SMMU_GERROR, false, " GERROR "},
		{SMMU_GERRORN, false, " GERRORN "},
		{0, false, NULL},
		{SMMU_STRTAB_BASE, true, " STRTAB_BASE "},
		{SMMU_STRTAB_BASE_CFG, false, " STRTAB_BASE_CFG "},
		{SMMU_CMDQ_BASE, true, " CMDQ_BASE "},
		{SMMU_EVENTQ_BASE, true, " EVENTQ_BASE "},
		{0, false, NULL},
	};
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), "registers:");
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(regs); i++) {
		if (regs[i].name) {
			put_hex(&m.text, regs[i].name,
				regs[i].wide ? smmu_mmio_read64(&inst->mmio, regs[i].offset)
					     : smmu_mmio_read32(&inst->mmio, regs[i].offset));
			continue;
		}
		say(&m, inst->port);
		smmu_text_str(smmu_message_begin(&m, inst->name), "registers:");
	}
}

static void dump_outq(const struct smmu_instance *inst, const char *name, const struct smmu_outq *q,
		      uint64_t overflows)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), name);
	put_dec(&m.text, " queue: entries 2^", q->log2size);
	put_hex(&m.text, ", PROD ", smmu_mmio_read32(&inst->mmio, q->reg_prod));
	put_hex(&m.text, ", CONS ", smmu_mmio_read32(&inst->mmio, q->reg_cons));
	put_hex(&m.text, ", taken up to ", smmu_counted(&q->cons));
	put_dec(&m.text, ", overflows ", overflows);
	say(&m, inst->port);
}

static bool taken(const struct smmu_ids *ids, uint32_t id)
{
	return id < ids->count && smmu_counted(&ids->bitmap[id / 64]) & SMMU_BIT(id % 64);
}

/** The first id in use from @p id on; ids->count: none. There are up to 65,536, and few in use. */
static uint32_t next_taken(const struct smmu_ids *ids, uint32_t id)
{
	while (id < ids->count) {
		uint64_t w = smmu_counted(&ids->bitmap[id / 64]) >> id % 64;

		if (w)
			return id + (uint32_t)__builtin_ctzll(w);
		id = (id / 64 + 1) * 64;
	}
	return ids->count;
}

/** Ids in use, as runs, as many as the line has room for. 0 is never handed out. */
static void dump_ids(const struct smmu_instance *inst, const char *name, const struct smmu_ids *ids)
{
	struct smmu_message m;
	uint32_t used = 0, last;

	for (uint32_t id = next_taken(ids, 1); id < ids->count; id = next_taken(ids, id + 1))
		used++;
	smmu_text_str(smmu_message_begin(&m, inst->name), name);
	put_dec(&m.text, " in use ", used);
	put_dec(&m.text, " of ", ids->count - 1);
	put_dec(&m.text, ", waiting for a clean TLB ", smmu_counted(&ids->nr_retired));
	for (uint32_t id = next_taken(ids, 1); id < ids->count && !smmu_text_full(&m.text);
	     id = next_taken(ids, last + 1)) {
		for (last = id; taken(ids, last + 1);)
			last++;
		put_dec(&m.text, used ? ": " : ", ", id);
		used = 0;
		if (last > id)
			put_dec(&m.text, "-", last);
	}
	say(&m, inst->port);
}

static void dump_counters(const struct smmu_instance *inst)
{
	struct smmu_instance_stats s;
	struct smmu_message m;

	smmu_instance_get_stats(inst, &s);
	smmu_text_str(smmu_message_begin(&m, inst->name), "counters:");
	if (SMMU_STATS) {
		put_dec(&m.text, " TLBI ", s.tlbi);
		put_dec(&m.text, ", ATC_INV ", s.atc_inv);
		put_dec(&m.text, ", CFGI ", s.cfgi);
		smmu_text_str(&m.text, ",");
	}
	put_dec(&m.text, SMMU_STATS ? " SYNC " : " commands ", s.sync);
	put_dec(&m.text, "; devices cut off ", s.quarantines);
	put_dec(&m.text, ", global errors ", s.errors);
	say(&m, inst->port);
	smmu_text_str(smmu_message_begin(&m, inst->name), "counters:");
	put_dec(&m.text, " waits ", s.waits);
	put_dec(&m.text, ", longest ns ", s.longest_wait_ns);
	put_dec(&m.text, "; issued again ", s.retries);
	put_dec(&m.text, ", ATC time-outs ", s.atc_timeouts);
	put_dec(&m.text, ", command errors ", s.cmdq_errors);
	put_dec(&m.text, ", given up ", s.given_up);
	say(&m, inst->port);
}

void smmu_instance_dump(struct smmu_instance *inst)
{
	unsigned cookie;

	if (!inst->port)
		return;
	dump_features(inst);
	if (smmu_handler_enter(inst, &cookie)) {
		dump_registers(inst);
		smmu_cmdq_dump(&inst->cmdq);
		dump_outq(inst, "event", &inst->evtq, smmu_counted(&inst->events_lost));
		if (inst->have_priq)
			dump_outq(inst, "PRI", &inst->priq, smmu_counted(&inst->pri_overflows));
		dump_ids(inst, "ASIDs", &inst->asids);
		dump_ids(inst, "VMIDs", &inst->vmids);
		smmu_handler_exit(inst, cookie);
	}
	dump_counters(inst);
}

/* ---- A domain ---- */

static void dump_operation(const struct smmu_port *port, const struct smmu_inv *e)
{
	static const char *const kinds[] = {": ASID ", ": VMID ", ": stage 1 under VMID ",
					    ": ATC of stream ", ": all of the ATC of stream "};
	uint32_t users = SMMU_BARRIER(entry_joined, smmu_load_acquire(&e->users));
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, "domain"), "  ");
	/* Once it is gone the instance may be, too. */
	if (users)
		smmu_text_str(&m.text, smmu_target_name(e->target));
	else
		put_dec(&m.text, "instance ", e->index);
	smmu_text_str(&m.text, e->kind < SMMU_ARRAY_SIZE(kinds) ? kinds[e->kind] : ": ");
	if (e->kind >= SMMU_INV_ATS)
		smmu_text_hex(&m.text, e->id, 1);
	else
		smmu_text_dec(&m.text, e->id);
	if (e->substream)
		put_dec(&m.text, " substream ", e->substream - 1);
	if (users)
		put_dec(&m.text, ", attachments ", users);
	else
		smmu_text_str(&m.text, ", gone");
	if (users && e->kind >= SMMU_INV_ATS && smmu_load(&e->owner->cut) != SMMU_CUT_NO)
		smmu_text_str(&m.text, ", cut off");
	say(&m, port);
}

static void dump_table(const struct smmu_domain *d)
{
	static const char *const kinds[] = {"blocked", "identity", "stage 1", "stage 2"};
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, "domain"), kinds[d->kind]);
	if (d->table) {
		put_dec(&m.text, ", granule 2^", d->table->cfg.granule_shift);
		put_dec(&m.text, ", addresses ", d->table->cfg.ias);
		put_dec(&m.text, " bits in, ", d->table->cfg.oas);
		smmu_text_str(&m.text, " out");
		smmu_text_str(&m.text, d->non_coherent ? ", not coherent" : "");
	}
	put_dec(&m.text, "; attachments ", smmu_load(&d->users));
	say(&m, d->port);
}

static void dump_sweeps(const struct smmu_domain *d)
{
	struct smmu_domain_stats s;
	struct smmu_message m;

	smmu_domain_get_stats(d, &s);
	smmu_message_begin(&m, "domain");
	if (SMMU_STATS) {
		put_dec(&m.text, "sweeps ", s.sweeps);
		put_dec(&m.text, ", entries that they looked at ", s.entries);
		smmu_text_str(&m.text, ", ");
	}
	put_dec(&m.text, "sweeps that were not confirmed ", s.failed);
	smmu_text_str(&m.text, smmu_inv_owes(&d->debt) ? ", not made good yet" : "");
	say(&m, d->port);
}

void smmu_domain_dump(struct smmu_domain *d)
{
	const struct smmu_inv_array *array;
	unsigned cookie;

	if (!d->port)
		return;
	dump_table(d);
	dump_sweeps(d);
	cookie = smmu_rcu_enter(d->port->rcu);
	array = SMMU_BARRIER(array_followed, smmu_rcu_dereference(&d->inv));
	for (uint32_t i = 0; array && i < array->count; i++)
		dump_operation(d->port, &array->entry[i]);
	smmu_rcu_exit(d->port->rcu, cookie);
}
