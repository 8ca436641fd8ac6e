/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adoption: an SMMU that runs is taken over without SMMUEN being cleared, so that DMA goes on.
 *
 *   1. Read and check. Nothing is changed yet: every failure up to here leaves the SMMU to whoever comes next.
 *   2. Take the queues over: interrupts, then queues off; each register written; interrupts, then queues on (6.3.9). ATSCHK goes
 *      on with them. STRTAB_BASE, CR1.TABLE_* and CR2 stay as they are: they are guarded by SMMUEN.
 *   3. Store what is not trusted as aborting, in one word of 64 bits each, then CFGI_ALL, CMD_SYNC, TLBI of everything, CMD_SYNC:
 *      caches forget what was refused, and whatever the former owner had not invalidated. The ids of what is refused are nobody's:
 *      the TLBI comes when no walk finds them any more.
 *
 * STRTAB_BASE cannot change, so the first level of the stream table stays where it is, and with a linear one all STEs do. Of two
 * levels the second is copied: STEs are checked in the copy, which the former owner's descriptor then leads to. So nobody is misled
 * by tables that lie over each other, the library writes to its own memory, and a table has the length that it needs.
 * In what stays, nothing else may lie (adopt_check.c): what devices can write to must not become configuration.
 *
 * Kept streams are STEs without an owner that do not abort. smmu_device_init finds them as such, and leaves them alone
 * (smmu_streams.kept); the first attach changes them (takeover.c). Their ids are taken until smmu_instance_adopt_end, when the TLB may
 * still have entries of them: they are retired, as any other.
 */
#include "adopt_check.h"

/** Lines in the log for streams that are refused; the rest is counted. */
#define TOLD 8

/** One adoption while it is under way. */
struct job {
	struct smmu_instance *inst;
	struct smmu_adopt_check check;
	struct smmu_adopt_report *report;
	/** Linear: STEs that are to abort. A bit each. */
	uint64_t *refused;
	size_t refused_bytes;
};

static int refuse(const struct smmu_instance *inst, const char *why)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), "cannot be adopted: ");
	smmu_text_str(&m.text, why);
	smmu_message_log(&m, inst->port, SMMU_LOG_WARN);
	return -SMMU_EOPNOTSUPP;
}

static void tell_refused(struct job *j, uint32_t sid, const char *why)
{
	struct smmu_message m;

	if (!j->report->refused++) {
		j->report->first = sid;
		j->report->first_why = why;
	}
	if (j->report->refused > TOLD)
		return;
	smmu_text_str(smmu_message_begin(&m, j->inst->name), "stream ");
	smmu_text_hex(&m.text, sid, 1);
	smmu_text_str(&m.text, " of the former owner aborts: ");
	smmu_text_str(&m.text, why);
	smmu_message_log(&m, j->inst->port, SMMU_LOG_WARN);
}

static void tell_done(const struct job *j)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, j->inst->name), "adopted: ");
	smmu_text_dec(&m.text, j->report->kept);
	smmu_text_str(&m.text, " streams go on, ");
	smmu_text_dec(&m.text, j->report->refused);
	smmu_text_str(&m.text, " abort");
	smmu_message_log(&m, j->inst->port, SMMU_LOG_INFO);
}

/* ---- 1: read and check ---- */

/** True if the stream's traffic goes on by @p ste. */
static bool keeps(struct job *j, uint32_t sid, const struct smmu_ste *ste)
{
	const struct smmu_adopt_config *cfg = j->check.cfg;
	const char *why;

	if (!smmu_adopt_passes(ste))
		return false;
	why = cfg->keep && !cfg->keep(cfg->ctx, sid) ? "nobody wants it"
						     : smmu_adopt_ste(&j->check, ste);
	if (why)
		tell_refused(j, sid, why);
	else
		j->report->kept++;
	return !why;
}

static void read_ste(const struct smmu_ste *from, struct smmu_ste *ste)
{
	for (unsigned w = 0; w < SMMU_ARRAY_SIZE(ste->w); w++)
		ste->w[w] = smmu_load(&from->w[w]);
}

static int read_linear(struct job *j)
{
	const struct smmu_port *port = j->inst->port;
	const struct smmu_ste *table = j->inst->strtab.l1;
	uint64_t n = 1ull << j->inst->strtab.log2size;

	j->refused_bytes = (size_t)((n + 63) / 64 * 8);
	j->refused = port->ops->alloc(port->ctx, j->refused_bytes);
	if (!j->refused)
		return -SMMU_ENOMEM;
	for (uint64_t i = 0; i < n; i++) {
		struct smmu_ste ste;

		read_ste(&table[i], &ste);
		if (!keeps(j, (uint32_t)i, &ste))
			j->refused[i / 64] |= SMMU_BIT(i % 64);
	}
	return 0;
}

/** Fill our table @p to of the streams from @p sid on with those of @p from that are kept, of @p n. Their number. */
static uint32_t copy_table(struct job *j, uint32_t sid, const struct smmu_ste *from, uint32_t n,
			   struct smmu_ste *to)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct smmu_ste ste;

		read_ste(&from[i], &ste);
		if (!keeps(j, sid + i, &ste))
			continue;
		/* Contiguous ranges of STEs that are alike are so no more once one is changed. */
		ste.w[1] &= ~SMMU_STE_W1_CONT;
		for (unsigned w = 0; w < SMMU_ARRAY_SIZE(ste.w); w++)
			smmu_store(&to[i].w[w], ste.w[w]);
		kept++;
	}
	return kept;
}

/** The second level of descriptor @p i, copied and checked, or left out. -SMMU_ENOMEM, -SMMU_ERANGE. */
static int read_second(struct job *j, uint32_t i)
{
	struct smmu_instance *inst = j->inst;
	const struct smmu_strtab *t = &inst->strtab;
	uint64_t desc = smmu_load(&((const uint64_t *)t->l1)[i]), l2 = desc & SMMU_L1STD_L2PTR;
	uint32_t span = (uint32_t)smmu_field_get(SMMU_L1STD_SPAN, desc), sid = i << t->split, n;
	const struct smmu_ste *from;
	struct smmu_ste *to;
	int error;

	if (!span)
		return 0;
	n = span <= t->split + 1u ? 1u << (span - 1) : 0;
	from = n ? smmu_adopt_at(&j->check, l2, (uint64_t)n * sizeof(*from)) : NULL;
	if (!from || l2 & (n * sizeof(*from) - 1) || !smmu_adopt_spend(&j->check)) {
		tell_refused(
			j, sid,
			"its table of STEs is not in trusted memory, not aligned, or too many");
		return 0;
	}
	error = smmu_strtab_make(inst, i, &to);
	if (!error && !copy_table(j, sid, from, n, to))
		smmu_strtab_unmake(inst, i);
	return error;
}

static int read_tables(struct job *j)
{
	const struct smmu_strtab *t = &j->inst->strtab;
	int error = 0;

	if (!t->split)
		return read_linear(j);
	for (uint32_t i = 0; !error && i < t->l1_count; i++)
		error = read_second(j, i);
	return error;
}

/** The shape and place of the stream table, which stays. -SMMU_EOPNOTSUPP, -SMMU_ENOMEM. */
static int find_table(struct job *j)
{
	struct smmu_instance *inst = j->inst;
	uint32_t cfg = smmu_mmio_read32(&inst->mmio, SMMU_STRTAB_BASE_CFG);
	uint64_t base = smmu_mmio_read64(&inst->mmio, SMMU_STRTAB_BASE) & SMMU_STRTAB_BASE_ADDR,
		 size;
	uint32_t log2 = (uint32_t)smmu_field_get(SMMU_STRTAB_BASE_CFG_LOG2SIZE, cfg);
	uint32_t fmt = (uint32_t)smmu_field_get(SMMU_STRTAB_BASE_CFG_FMT, cfg);
	uint32_t split = (uint32_t)smmu_field_get(SMMU_STRTAB_BASE_CFG_SPLIT, cfg);
	const void *at;

	/* Without two levels the fields of their shape are RES0 (6.3.25). */
	if (!(inst->features.bits & SMMU_FEAT_2LVL_STRTAB))
		fmt = 0;
	if (log2 > inst->features.sid_bits)
		return refuse(inst, "STRTAB_BASE_CFG.LOG2SIZE is above IDR1.SIDSIZE");
	if (fmt > SMMU_STRTAB_BASE_CFG_FMT_2LVL ||
	    (fmt && ((split != 6 && split != 8 && split != 10) || log2 <= split)))
		return refuse(inst, "STRTAB_BASE_CFG.FMT or SPLIT is reserved");
	size = fmt ? 8ull << (log2 - split) : 64ull << log2;
	size = smmu_max64(size, 64);
	if (base & (size - 1))
		return refuse(inst, "STRTAB_BASE is not aligned to the table");
	at = smmu_adopt_at(&j->check, base, size);
	if (!at)
		return refuse(inst, "the stream table is not in trusted memory");
	j->check.strtab = (struct smmu_adopt_range){base, size};
	return smmu_strtab_adopt(inst, (uint8_t)log2, (uint8_t)(fmt ? split : 0),
				 (void *)(uintptr_t)at, base);
}

static uint32_t budget(const struct smmu_adopt_config *cfg)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < cfg->nr_memory; i++)
		pages += cfg->memory[i].size >> 12;
	return cfg->tables ? cfg->tables : (uint32_t)smmu_min64(pages + 1, UINT32_MAX);
}

/* ---- ids ---- */

static int make_adoption(struct smmu_instance *inst)
{
	const struct smmu_port *port = inst->port;
	struct smmu_adoption *a = port->ops->alloc(port->ctx, sizeof(*a));

	if (!a)
		return -SMMU_ENOMEM;
	inst->adoption = a;
	a->asid_bytes = inst->asids.count / 8;
	a->vmid_bytes = inst->vmids.count / 8;
	a->asids = port->ops->alloc(port->ctx, a->asid_bytes);
	a->vmids = port->ops->alloc(port->ctx, a->vmid_bytes);
	return a->asids && a->vmids ? 0 : -SMMU_ENOMEM;
}

/** The ids of @p used are taken, but 0, which never is given. */
static void take_ids(struct smmu_ids *ids, uint64_t *used)
{
	used[0] &= ~1ull;
	for (uint32_t i = 0; i < ids->count / 64; i++)
		ids->bitmap[i] |= used[i];
}

static void retire_ids(struct smmu_ids *ids, const uint64_t *used)
{
	for (uint32_t i = 0; i < ids->count / 64; i++)
		for (uint64_t w = used[i]; w; w &= w - 1)
			smmu_ids_retire(ids, i * 64 + (uint32_t)__builtin_ctzll(w));
}

/* ---- 3: what is refused aborts ---- */

static void store_linear(struct job *j)
{
	struct smmu_instance *inst = j->inst;
	struct smmu_ste *table = inst->strtab.l1;
	uint64_t n = 1ull << inst->strtab.log2size;

	for (uint64_t i = 0; i < n; i++) {
		if (j->refused[i / 64] & SMMU_BIT(i % 64)) {
			smmu_strtab_abort_former(inst, &table[i]);
			continue;
		}
		smmu_store(&table[i].w[1], smmu_load(&table[i].w[1]) & ~SMMU_STE_W1_CONT);
		smmu_port_clean(inst->port, &table[i], sizeof(table[i]));
	}
}

static void store_tables(struct job *j)
{
	if (j->inst->strtab.split)
		smmu_strtab_hook_all(j->inst);
	else
		store_linear(j);
}

static int read_all(struct job *j)
{
	struct smmu_instance *inst = j->inst;
	int error = find_table(j);

	if (!error)
		error = smmu_instance_allocate(inst);
	if (!error)
		error = make_adoption(inst);
	if (!error) {
		j->check.asids = inst->adoption->asids;
		j->check.vmids = inst->adoption->vmids;
		j->check.nr_asids = inst->asids.count;
		j->check.nr_vmids = inst->vmids.count;
		error = read_tables(j);
	}
	if (!error) {
		inst->adoption->tags = j->check.tags;
		take_ids(&inst->asids, inst->adoption->asids);
		take_ids(&inst->vmids, inst->adoption->vmids);
	}
	return error;
}

static int take(struct job *j)
{
	struct smmu_instance *inst = j->inst;
	int error;

	smmu_instance_serve(inst);
	error = smmu_registers_take(inst);
	if (error)
		return error;
	store_tables(j);
	/* No smmu_dma_wmb: the doorbell of the commands has one. */
	return smmu_registers_taken(inst);
}

static int adopt(struct job *j)
{
	struct smmu_instance *inst = j->inst;
	const struct smmu_port *port = inst->port;
	int error = read_all(j);

	if (error) {
		smmu_instance_free(inst);
	} else {
		error = take(j);
		if (error) {
			smmu_handlers_stop(inst);
			smmu_instance_stop(inst);
		}
	}
	if (j->refused)
		port->ops->free(port->ctx, j->refused, j->refused_bytes);
	return error;
}

int smmu_instance_adopt(struct smmu_instance *inst, const struct smmu_adopt_config *cfg,
			struct smmu_adopt_report *report)
{
	struct smmu_adopt_report own;
	struct job j = {.inst = inst, .report = report ? report : &own};
	int error;

	*j.report = (struct smmu_adopt_report){0};
	if (!inst->port || !cfg->nr_memory)
		return -SMMU_EINVAL;
	if (inst->up || inst->held)
		return -SMMU_EBUSY;
	error = smmu_registers_running(inst, &j.check.tags.e2h);
	if (error)
		return error;
	j.check.cfg = cfg;
	j.check.id = (struct smmu_id_regs){inst->idr0, inst->idr1, inst->idr3, inst->idr5};
	j.check.budget = budget(cfg);
	smmu_instance_begin(inst);
	error = adopt(&j);
	if (error)
		return error;
	inst->up = true;
	tell_done(&j);
	return 0;
}

int smmu_instance_adopt_end(struct smmu_instance *inst)
{
	const struct smmu_cmd all = smmu_cmd_cfgi_all();
	int error;

	if (!inst->up)
		return -SMMU_ENODEV;
	if (!inst->adoption)
		return 0;
	smmu_instance_end_kept(inst);
	smmu_mutex_lock(&inst->lock);
	smmu_strtab_abort_unowned(inst);
	inst->adoption->ended = true;
	error = smmu_instance_issue(inst, &all, 1, true);
	if (!error)
		error = smmu_strtab_end_stalls(inst);
	if (!error) {
		retire_ids(&inst->asids, inst->adoption->asids);
		retire_ids(&inst->vmids, inst->adoption->vmids);
		/* Whoever leads streams away looks at it. */
		smmu_mutex_lock(&inst->transit);
		smmu_adoption_free(inst);
		smmu_mutex_unlock(&inst->transit);
	}
	smmu_mutex_unlock(&inst->lock);
	return error;
}
