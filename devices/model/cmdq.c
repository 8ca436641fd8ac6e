/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command queue: consumption one command at a time, CMD_SYNC, and command errors.
 */
#include "internal.h"

static uint32_t index_mask(const struct instance *in)
{
	return (2u << queue_log2(in->r.cmdq.base, in->cfg.cmdq_bits)) - 1;
}

static bool empty(const struct instance *in)
{
	return !((in->r.cmdq.prod ^ in->r.cmdq.cons) & index_mask(in));
}

static void fetch_at(struct instance *in, uint64_t at)
{
	in->cmdq = CMDQ_FETCH;
	in->cmdq_since = in->now;
	in->cmdq_at = at;
}

/** CONS becomes what it is. */
void model_cmdq_show(struct instance *in)
{
	in->cons_shown = in->r.cmdq.cons;
	in->unshown = 0;
}

/** What was read ahead counts no more: after an error and while the queue is off (3.21.2). */
static void forget(struct instance *in)
{
	in->cached_valid = 0;
	in->ahead = 0;
}

/** Where the command at @p position is. */
static uint64_t slot(const struct instance *in, uint32_t position)
{
	unsigned log2 = queue_log2(in->r.cmdq.base, in->cfg.cmdq_bits);
	uint64_t base = in->r.cmdq.base & ADDR_51_5 & oas_mask(in) & ~(pow2(log2 + 4) - 1);

	return base + ((uint64_t)(position & ((1u << log2) - 1)) << 4);
}

/** Commands in the queue may be read at any time: now, some of them. */
void model_cmdq_cache(struct instance *in)
{
	uint32_t mask = index_mask(in), cons = in->r.cmdq.cons,
		 full = (in->r.cmdq.prod - cons) & mask;
	unsigned turn = cons % CACHED_COMMANDS;
	uint64_t missing;

	if (!(in->r.cr0.eff & CR0_CMDQEN) || in->cmdq == CMDQ_ERROR || !in->cfg.cmd_cache_permille)
		return;
	/* Bit n: the command n places from CONS was not read, as far as one can tell without looking (a queue may be short). */
	missing = ~(in->cached_valid >> turn | in->cached_valid << (CACHED_COMMANDS - turn) % 64);
	if (mask < CACHED_COMMANDS - 1)
		missing = UINT64_MAX;
	if (full < CACHED_COMMANDS)
		missing &= BIT(full) - 1;
	/* A CMD_SYNC that is waiting was read already. */
	if (in->cmdq == CMDQ_SYNC)
		missing &= ~1ULL;
	for (; missing; missing &= missing - 1) {
		uint32_t position = (cons + (uint32_t)__builtin_ctzll(missing)) & mask;
		struct cached_command *c = &in->cached[position % CACHED_COMMANDS];

		if ((in->cached_valid & BIT(position % CACHED_COMMANDS)) ||
		    !model_chance(in, in->cfg.cmd_cache_permille))
			continue;
		c->position = position;
		if (model_load_words(in, NULL, SMMU_USE_COMMAND, slot(in, position), c->w, 2))
			in->cached_valid |= BIT(position % CACHED_COMMANDS);
	}
}

/** The command at CONS, read now or earlier. False: the read was aborted. */
static bool read_command(struct instance *in, uint64_t cmd[2])
{
	uint32_t position = in->r.cmdq.cons & index_mask(in);
	struct cached_command *c = &in->cached[position % CACHED_COMMANDS];
	uint64_t bit = BIT(position % CACHED_COMMANDS);

	if (in->cached_valid & bit) {
		in->cached_valid &= ~bit;
		if (c->position == position) {
			cmd[0] = c->w[0];
			cmd[1] = c->w[1];
			return true;
		}
	}
	return model_load_words(in, NULL, SMMU_USE_COMMAND, slot(in, position), cmd, 2);
}

static void idle(struct instance *in)
{
	in->cmdq = CMDQ_IDLE;
	in->cmdq_at = NEVER;
}

/** PROD moved, or the queue came into use. */
void model_cmdq_kick(struct instance *in)
{
	if (in->cmdq == CMDQ_IDLE && (in->r.cr0.eff & CR0_CMDQEN) && !empty(in))
		fetch_at(in, in->now + model_jitter(in, in->cfg.cmd_ns));
}

/** CR0.CMDQEN takes effect. A CMD_SYNC under way is consumed as a whole before that is acknowledged (6.3.9.3). */
void model_cmdq_enable(struct instance *in, bool on)
{
	if (!on) {
		forget(in);
		model_cmdq_show(in);
	}
	if (in->cmdq == CMDQ_ERROR || in->cmdq == CMDQ_SYNC)
		return;
	if (in->cmdq == CMDQ_DEAD && in->dead_for_good)
		return;
	idle(in);
	if (on)
		model_cmdq_kick(in);
}

/** The command error was acknowledged: go on with the command at CONS. */
void model_cmdq_acked(struct instance *in)
{
	if (in->cmdq != CMDQ_ERROR)
		return;
	idle(in);
	model_cmdq_kick(in);
}

static void stop(struct instance *in, uint32_t error)
{
	in->cmdq = CMDQ_ERROR;
	in->cmdq_at = NEVER;
	in->r.cmdq.cons = (in->r.cmdq.cons & ~(0x7fu << 24)) | error << 24;
	forget(in);
	model_cmdq_show(in);
	in->count.cerrors++;
	model_gerror(in, GERROR_CMDQ_ERR);
}

static void advance(struct instance *in)
{
	in->r.cmdq.cons =
		(in->r.cmdq.cons & (0x7fu << 24)) | ((in->r.cmdq.cons + 1) & index_mask(in));
	if (!in->cfg.cons_batch || empty(in) || !(in->r.cr0.eff & CR0_CMDQEN) ||
	    ++in->unshown > model_rnd(in) % in->cfg.cons_batch)
		model_cmdq_show(in);
	idle(in);
	model_cmdq_kick(in);
}

static void die(struct instance *in)
{
	in->cmdq = CMDQ_DEAD;
	in->cmdq_at = NEVER;
	in->dies_at = 0;
	forget(in);
}

void model_cmdq_kill(struct instance *in, uint64_t nth, bool for_good)
{
	in->dies_at = nth;
	in->dead_for_good = for_good;
	if (nth == 1 && in->cmdq == CMDQ_SYNC) {
		die(in);
	} else if (!nth && in->cmdq == CMDQ_DEAD) {
		idle(in);
		model_cmdq_kick(in);
	}
}

/** SMMU_ERRATUM_SPLIT_ATC: the ATC_INVs right behind the CMD_SYNC at CONS do not wait for it. */
static void send_ahead(struct instance *in)
{
	uint32_t mask = index_mask(in), full = (in->r.cmdq.prod - in->r.cmdq.cons) & mask;
	uint64_t cmd[2];

	for (in->ahead = 0; in->ahead + 1 < full; in->ahead++) {
		uint32_t position = (in->r.cmdq.cons + in->ahead + 1) & mask;

		if (!model_load_words(in, NULL, SMMU_USE_COMMAND, slot(in, position), cmd, 2) ||
		    bits(cmd[0], 7, 0) != C_ATC_INV)
			return;
		model_ats_invalidate(in, cmd);
	}
}

/** The command at CONS was consumed. */
static void tell(struct instance *in, const uint64_t cmd[2])
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;
	uint64_t until = in->now;

	if (!hooks->command)
		return;
	if (bits(cmd[0], 7, 0) == C_ATC_INV)
		until = model_effect_last_done(in, cmd);
	hooks->command(hooks->ctx, in->index, cmd, in->cmdq_since, in->now, until);
}

static void start_sync(struct instance *in, const uint64_t cmd[2])
{
	uint64_t ns = model_jitter(in, in->cfg.sync_ns), done;

	if (model_inject(in, SMMU_FAULT_SLOW_SYNC))
		ns = (ns + 1) * (100 + model_rnd(in) % 901);
	done = model_effect_done(in);
	if ((in->cfg.errata & SMMU_ERRATUM_SYNC_EVERY) && in->since_sync > in->cfg.sync_every) {
		die(in);
		return;
	}
	in->since_sync = 0;
	if (in->cfg.errata & SMMU_ERRATUM_SPLIT_ATC)
		send_ahead(in);
	in->sync_cmd[0] = cmd[0];
	in->sync_cmd[1] = cmd[1];
	in->cmdq = CMDQ_SYNC;
	in->cmdq_at = in->now + ns > done ? in->now + ns : done;
}

static void finish_sync(struct instance *in)
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;
	uint64_t done = model_effect_done(in), addr = in->sync_cmd[1] & ADDR_51_2;

	if (done > in->now) { /* meanwhile an ATC was found not to answer */
		in->cmdq_at = done;
		return;
	}
	if (model_effect_timed_out(in)) {
		stop(in, CERROR_ATC_INV_SYNC);
		return;
	}
	model_effect_all(in);
	model_events_flush(in);
	in->count.sync++;
	in->count.last_sync_ns = in->now;
	if (hooks->synced)
		hooks->synced(hooks->ctx, in->index, in->now);
	tell(in, in->sync_cmd);
	in->unshown = in->cfg.cons_batch; /* a completed CMD_SYNC is seen */
	if (bits(in->sync_cmd[0], 13, 12) == SYNC_CS_IRQ) {
		if (!in->cfg.msi || !addr)
			model_raise_irq(in, SMMU_MODEL_IRQ_CMD_SYNC);
		else if (in->cfg.errata & SMMU_ERRATUM_MSI)
			; /* goes nowhere */
		else if (model_inject(in, SMMU_FAULT_MSI_ABORT) ||
			 !model_msi(in, addr, (uint32_t)bits(in->sync_cmd[0], 63, 32)))
			model_gerror(in, GERROR_MSI_CMDQ_ABT);
	}
	advance(in);
}

static void prefetch(struct instance *in, const uint64_t cmd[2], bool address)
{
	struct recent what = {
		.stream = (uint32_t)bits(cmd[0], 63, 32),
		.ssid = (uint32_t)bits(cmd[0], 31, 12),
		.ssid_valid = cmd[0] & BIT(11),
		.iova = address ? cmd[1] & ~0xfffULL : 0,
	};

	model_speculate(in, &what);
}

/** Execute what is not an invalidation. False: illegal. */
static bool execute(struct instance *in, const uint64_t cmd[2])
{
	switch (bits(cmd[0], 7, 0)) {
	case C_PREFETCH_CONFIG:
	case C_PREFETCH_ADDR:
		if (cmd[0] & BIT(10))
			return false;
		prefetch(in, cmd, bits(cmd[0], 7, 0) == C_PREFETCH_ADDR);
		return true;
	case C_PRI_RESP:
		if (!in->cfg.pri || (cmd[0] & BIT(10)) || bits(cmd[1], 13, 12) == 3)
			return false;
		if (in->r.cr0.eff & CR0_SMMUEN) /* else ignored (4.5.2) */
			model_pri_response(in, cmd);
		return true;
	case C_RESUME:
	case C_STALL_TERM:
		if (in->cfg.stall_model == 1 || (cmd[0] & BIT(10)))
			return false;
		model_resume(in, cmd, bits(cmd[0], 7, 0) == C_STALL_TERM);
		return true;
	default:
		return false;
	}
}

static void consume(struct instance *in)
{
	uint64_t cmd[2];
	int error;

	if (!(in->r.cr0.eff & CR0_CMDQEN) || empty(in)) {
		idle(in);
		return;
	}
	if ((in->dies_at && !--in->dies_at) || model_inject(in, SMMU_FAULT_QUEUE_DEAD)) {
		die(in);
		return;
	}
	if (model_inject(in, SMMU_FAULT_PAUSE)) {
		in->paused_until = in->now + in->cfg.pause_ns;
		return;
	}
	model_cmdq_cache(in);
	if (model_inject(in, SMMU_FAULT_CMD_ABORT) || !read_command(in, cmd)) {
		stop(in, CERROR_ABT);
		return;
	}
	if (in->cfg.check_reserved && model_cmd_reserved(in, cmd)) {
		stop(in, CERROR_ILL);
		return;
	}
	if (model_inject(in, SMMU_FAULT_PREFETCH_STORM))
		model_speculate_some(in, 32);
	else
		model_stir(in);
	if (model_inject(in, SMMU_FAULT_EVENT_OVERFLOW))
		model_event_flood(in);
	if (bits(cmd[0], 7, 0) == C_SYNC) {
		if (bits(cmd[0], 13, 12) == 3)
			stop(in, CERROR_ILL);
		else
			start_sync(in, cmd);
		return;
	}
	error = model_effect_check(in, cmd);
	if (error == CERROR_NONE) {
		model_effect_add(in, cmd);
	} else if (error > 0 || !execute(in, cmd)) {
		stop(in, CERROR_ILL);
		return;
	} else {
		in->count.other++;
	}
	tell(in, cmd);
	advance(in);
}

/** The next step is due. */
void model_cmdq_step(struct instance *in)
{
	if (in->cmdq == CMDQ_FETCH)
		consume(in);
	else if (in->cmdq == CMDQ_SYNC)
		finish_sync(in);
	else
		in->cmdq_at = NEVER;
}

const char *smmu_model_command_name(unsigned opcode)
{
	static const struct {
		uint8_t op;
		const char *name;
	} names[] = {
		{C_PREFETCH_CONFIG, "CMD_PREFETCH_CONFIG"},
		{C_PREFETCH_ADDR, "CMD_PREFETCH_ADDR"},
		{C_CFGI_STE, "CMD_CFGI_STE"},
		{C_CFGI_STE_RANGE, "CMD_CFGI_STE_RANGE"},
		{C_CFGI_CD, "CMD_CFGI_CD"},
		{C_CFGI_CD_ALL, "CMD_CFGI_CD_ALL"},
		{C_CFGI_VMS_PIDM, "CMD_CFGI_VMS_PIDM"},
		{C_TLBI_NH_ALL, "CMD_TLBI_NH_ALL"},
		{C_TLBI_NH_ASID, "CMD_TLBI_NH_ASID"},
		{C_TLBI_NH_VA, "CMD_TLBI_NH_VA"},
		{C_TLBI_NH_VAA, "CMD_TLBI_NH_VAA"},
		{C_TLBI_EL2_ALL, "CMD_TLBI_EL2_ALL"},
		{C_TLBI_EL2_ASID, "CMD_TLBI_EL2_ASID"},
		{C_TLBI_EL2_VA, "CMD_TLBI_EL2_VA"},
		{C_TLBI_EL2_VAA, "CMD_TLBI_EL2_VAA"},
		{C_TLBI_S12_VMALL, "CMD_TLBI_S12_VMALL"},
		{C_TLBI_S2_IPA, "CMD_TLBI_S2_IPA"},
		{C_TLBI_NSNH_ALL, "CMD_TLBI_NSNH_ALL"},
		{C_ATC_INV, "CMD_ATC_INV"},
		{C_PRI_RESP, "CMD_PRI_RESP"},
		{C_RESUME, "CMD_RESUME"},
		{C_STALL_TERM, "CMD_STALL_TERM"},
		{C_SYNC, "CMD_SYNC"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].op == opcode)
			return names[i].name;
	return NULL;
}
