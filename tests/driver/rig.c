/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine of the driver's tests. */
#include "rig.h"

#include "store_hook.h"

bool rig_note_stes, rig_pair;
void (*rig_store_hook)(const void *p);
struct rig *rig_now;

static void note(struct rig_smmu *s, struct smmu_cmd cmd)
{
	struct rig *rig = s->rig;

	CHECK(rig->lines < RIG_LOG);
	rig->log[rig->lines++] = (struct rig_line){s->i, cmd};
}

/* ---- the bus ---- */

/** Memory as the SMMUs see it. */
static const struct smmu_ram *device_ram(const struct rig *rig)
{
	return rig->shadow.va ? &rig->shadow : &rig->ram;
}

/** True when this access does not reach the SMMU any more. */
static bool dies(struct rig_smmu *s, bool write, uint32_t offset)
{
	/* Somebody else may run before it. */
	sim_point();
	if (s->rig->on_access)
		s->rig->on_access(s, write, offset);
	if (write && s->die_after && !--s->die_after)
		s->gone = true;
	return s->gone;
}

static uint32_t read32(void *ctx, uint32_t offset)
{
	struct rig_smmu *s = ctx;
	uint32_t value = UINT32_MAX;

	offset = s->move ? s->move(offset) : offset;
	if (!dies(s, false, offset))
		value = s->model->ops->read32(s->model->ctx, offset);
	if (s->rig->shadow.va && offset == SMMU_EVENTQ_PROD)
		rig_evict(s->rig, s->check.base[2], 4096);
	if (s->rig->shadow.va && offset == SMMU_PRIQ_PROD)
		rig_evict(s->rig, s->check.base[3], 2048);
	if (s->patch_read)
		value = s->patch_read(s, offset, value);
	mmio_check_read(&s->check, offset, value);
	return value;
}

static uint64_t read64(void *ctx, uint32_t offset)
{
	struct rig_smmu *s = ctx;

	uint64_t value = UINT64_MAX;

	if (!dies(s, false, offset))
		value = s->model->ops->read64(s->model->ctx, offset);
	return s->patch_read64 ? s->patch_read64(s, offset, value) : value;
}

static void published(struct rig_smmu *s, uint32_t prod)
{
	uint32_t mask = (2u << s->log2) - 1;
	struct smmu_cmd *ring = smmu_ram_at(device_ram(s->rig), s->ring, 16ull << s->log2);

	for (; s->cr0 & SMMU_CR0_CMDQEN && s->prod != prod; s->prod = (s->prod + 1) & mask) {
		struct smmu_cmd *cmd = &ring[s->prod & (mask >> 1)];

		note(s, *cmd);
		/* Nothing that the architecture does not define, no reserved bit. */
		CHECK(smmu_cmd_check(cmd) == 0);
		if (s->corruptions && smmu_cmd_opcode(cmd) == s->corrupt) {
			s->corruptions--;
			cmd->w[0] |= 0xff;
		}
		if (s->spoil > 1 && smmu_cmd_opcode(cmd) != SMMU_CMD_SYNC) {
			s->spoil--;
		} else if (s->spoil && smmu_cmd_opcode(cmd) != SMMU_CMD_SYNC) {
			s->spoiled++;
			cmd->w[0] |= 0xff;
		}
	}
	s->prod = prod;
}

/** Whether a write of this register goes nowhere. */
static bool is_lost(struct rig_smmu *s, uint32_t offset)
{
	if (!s->deaf || s->deaf != offset)
		return false;
	if (!s->deaf_after)
		return true;
	s->deaf_after--;
	return false;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct rig_smmu *s = ctx;

	offset = s->move ? s->move(offset) : offset;
	if (dies(s, true, offset))
		return;
	rig_doorbell();
	mmio_check_write(&s->check, offset, value);
	if (s->patch_write)
		s->patch_write(s, offset, value);
	if (is_lost(s, offset))
		return;
	if (offset == SMMU_CMDQ_PROD)
		published(s, value);
	/* Two who acknowledge at once would undo each other's. While the instance starts, nobody else has an error to. */
	if (offset == SMMU_GERRORN && s->cr0 & SMMU_CR0_SMMUEN && s->inst.up)
		CHECK(s->inst.cmdq.error_lock.held);
	if (offset == SMMU_CMDQ_PROD && s->frozen && s->cr0 & SMMU_CR0_CMDQEN)
		return;
	if (offset == SMMU_CR0)
		s->cr0 = value;
	s->model->ops->write32(s->model->ctx, offset, value);
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
	struct rig_smmu *s = ctx;

	if (dies(s, true, offset))
		return;
	mmio_check_write(&s->check, offset, value);
	if (s->patch_write)
		s->patch_write(s, offset, value);
	if (is_lost(s, offset))
		return;
	if (offset == SMMU_CMDQ_BASE) {
		s->ring = value & SMMU_QUEUE_BASE_ADDR;
		s->log2 = value & 31;
	}
	s->model->ops->write64(s->model->ctx, offset, value);
}

static void relax(void *ctx)
{
	struct rig_smmu *s = ctx;

	s->model->ops->relax(s->model->ctx);
}

static const struct smmu_bus_ops ops = {read32, read64, write32, write64, relax};

static uint64_t model_now(void *ctx)
{
	struct rig *rig = ctx;

	return sim_now(rig->sim);
}

/* ---- machine ---- */

struct smmu_model_config rig_config(void)
{
	struct smmu_model_config c;

	smmu_model_config_default(&c);
	c.sid_bits = 9;
	c.two_level_st = true;
	c.jitter_percent = 0;
	c.early_permille = 0;
	c.evict_permille = 0;
	c.prefetch_permille = 0;
	c.split_permille = 0;
	c.refill_permille = 0;
	c.attr_types_ovr = true;
	c.garbage = true;
	c.cr_split = true;
	c.strict = SMMU_STRICT_ALL;
	return c;
}

void rig_open(struct rig *rig, const struct smmu_model_config *config, unsigned count)
{
	struct smmu_model_config configs[RIG_SMMUS];
	const char *given = getenv("SMMU_TEST_SEED");
	struct smmu_model_hooks hooks = {.ctx = rig, .live = rig_live, .now_ns = model_now};

	/* A test before this one may have failed. */
	if (rig_now)
		rig_abandon(rig_now);
	memset(rig, 0, sizeof(*rig));
	rig_now = rig;
	rig->seed = given ? strtoull(given, NULL, 0) : 1;
	rig->sim = sim_create(rig->seed);
	sim_set_max_step(rig->sim, 1000000);
	CHECK(smmu_ram_create(&rig->ram, SMMU_RAM_DEFAULT_BASE, 256u << 20) == 0);
	CHECK(smmu_heap_init(&rig->heap, &rig->ram, 0, 0) == 0);
	rig->posix.heap = &rig->heap;
	rig->posix.stderr_level = -1;
	rig->posix.clock = sim_clock;
	rig->posix.clock_ctx = rig->sim;
	sim_port_init(&rig->port, &rig->posix);
	rig->ops = *rig->port.ops;
	rig_memory_ops(rig);
	rig->port.ops = &rig->ops;
	for (unsigned i = 0; i < count; i++)
		configs[i] = *config;
	rig->model =
		smmu_model_create(SMMU_MODEL_VIRTUAL, configs, count, &rig->ram, &hooks, rig->seed);
	CHECK(rig->model);
	CHECK(!sim_add_actor(rig->sim, smmu_model_next_event, smmu_model_advance, rig->model));
	rig->count = count;
	for (unsigned i = 0; i < count; i++) {
		struct rig_smmu *s = &rig->smmu[i];

		*s = (struct rig_smmu){.rig = rig, .i = i, .bus = {&ops, s}};
		s->model = smmu_model_bus(rig->model, i);
		mmio_check_init(&s->check, s->model->ops->read32(s->model->ctx, SMMU_IDR0),
				s->model->ops->read32(s->model->ctx, SMMU_IDR1),
				s->model->ops->read32(s->model->ctx, SMMU_IDR3),
				1ull << config->oas);
	}
}

struct smmu_instance_config rig_instance_config(struct rig *rig, unsigned i, uint32_t quirks)
{
	return (struct smmu_instance_config){.port = &rig->port,
					     .mmio = {&rig->smmu[i].bus},
					     .index = i,
					     .quirks = quirks,
					     .cmdq_log2 = 6,
					     .evtq_log2 = 7,
					     .timeout_ns = 10000000};
}

void rig_up(struct rig *rig, unsigned i, uint32_t quirks)
{
	struct smmu_instance_config cfg = rig_instance_config(rig, i, quirks);

	assert_int_equal(smmu_instance_probe(&rig->smmu[i].inst, &cfg), 0);
	assert_int_equal(smmu_instance_enable(&rig->smmu[i].inst), 0);
}

void rig_open_up(struct rig *rig, unsigned count)
{
	struct smmu_model_config config = rig_config();

	rig_open(rig, &config, count);
	for (unsigned i = 0; i < count; i++)
		rig_up(rig, i, 0);
	rig_log_reset(rig);
}

void rig_close(struct rig *rig)
{
	for (unsigned i = 0; i < rig->count; i++) {
		smmu_instance_remove(&rig->smmu[i].inst);
		if (smmu_model_misuse_count(rig->model, i))
			fail_msg("misuse: %s", smmu_model_misuse(rig->model, i, 0));
		for (unsigned n = 0; n < rig->smmu[i].check.problems && n < MMIO_PROBLEMS; n++)
			fprintf(stderr, "registers: %s\n", rig->smmu[i].check.problem[n]);
		assert_int_equal(rig->smmu[i].check.problems, 0);
	}
	sim_rcu_drain(&rig->posix.rcu);
	assert_int_equal(rig->heap.dma_blocks, 0);
	assert_int_equal(rig->heap.cpu_blocks, 0);
	rig_abandon(rig);
}

void rig_abandon(struct rig *rig)
{
	sim_remove_actor(rig->sim, rig->model);
	smmu_model_destroy(rig->model);
	smmu_heap_fini(&rig->heap);
	smmu_ram_destroy(&rig->ram);
	if (rig->shadow.va)
		smmu_ram_destroy(&rig->shadow);
	sim_destroy(rig->sim);
	rig_store_hook = NULL;
	rig_note_stes = false;
	rig_now = NULL;
}

void rig_thaw(struct rig *rig, unsigned i)
{
	struct rig_smmu *s = &rig->smmu[i];

	s->frozen = false;
	s->model->ops->write32(s->model->ctx, SMMU_CMDQ_PROD, s->prod);
}

/* ---- stores ---- */

void rig_stored(const void *p)
{
	if (!rig_now)
		return;
	rig_check_order(p);
	if (rig_store_hook)
		rig_store_hook(p);
	for (unsigned i = 0; rig_note_stes && i < rig_now->count; i++)
		for (const struct smmu_device *d = rig_now->smmu[i].inst.devices; d; d = d->next)
			for (unsigned k = 0; k < d->streams->nr; k++)
				if (p == &d->streams->ste[k]->w[0])
					note(&rig_now->smmu[i],
					     smmu_cmd_cfgi_ste(d->streams->id[k], true)),
						rig_now->log[rig_now->lines - 1].cmd.w[0] +=
						RIG_STE - SMMU_CMD_CFGI_STE;
}

void rig_stored_pair(const void *p)
{
	const uint64_t *word = p;

	rig_pair = true;
	rig_stored(word);
	rig_pair = false;
	rig_stored(word + 1);
}

/* ---- devices and domains ---- */

static int set_ats(void *ctx, bool on, unsigned stu)
{
	struct rig_device *d = ctx;
	struct smmu_cmd line = smmu_cmd_cfgi_ste(d->streams[0], true);

	if (on && d->ats_error)
		return d->ats_error;
	/* The first time it goes off, whatever it was. */
	CHECK(d->ats != on || (!d->ats_told && !on));
	CHECK(stu == d->stu || !d->ats_told);
	d->ats = on;
	d->ats_told = true;
	line.w[0] += (on ? RIG_ATS_ON : RIG_ATS_OFF) - SMMU_CMD_CFGI_STE;
	note(&d->rig->smmu[d->smmu], line);
	for (unsigned i = 0; i < d->nr; i++)
		smmu_model_ats_enable(d->hw[i], on);
	return 0;
}

static const struct smmu_device_ops device_ops = {set_ats};

int rig_device_try(struct rig *rig, struct rig_device *d, unsigned smmu, uint32_t stream,
		   unsigned nr, bool ats, unsigned ssid_bits)
{
	struct smmu_device_config cfg = {.instance = &rig->smmu[smmu].inst,
					 .streams = d->streams,
					 .nr_streams = nr,
					 .ssid_bits = (uint8_t)ssid_bits,
					 .ats = ats,
					 .ops = &device_ops,
					 .ctx = d,
					 .name = "disk"};

	*d = (struct rig_device){.rig = rig, .smmu = smmu, .nr = nr, .stu = 12};
	for (unsigned i = 0; i < nr; i++) {
		d->streams[i] = stream + i;
		d->hw[i] = smmu_model_device(rig->model, smmu, stream + i, ats);
		CHECK(d->hw[i]);
	}
	return smmu_device_init(&d->dev, &cfg);
}

void rig_device(struct rig *rig, struct rig_device *d, unsigned smmu, uint32_t stream, unsigned nr,
		bool ats, unsigned ssid_bits)
{
	assert_int_equal(rig_device_try(rig, d, smmu, stream, nr, ats, ssid_bits), 0);
}

void rig_device_stu(struct rig *rig, struct rig_device *d, unsigned smmu, uint32_t stream,
		    unsigned stu)
{
	rig_device(rig, d, smmu, stream, 1, true, 0);
	d->stu = stu;
}

void rig_domain(struct rig *rig, struct smmu_domain *d, enum smmu_domain_kind kind)
{
	struct smmu_domain_config cfg = {.port = &rig->port, .kind = kind};

	assert_int_equal(smmu_domain_init(d, &cfg), 0);
}

void rig_domain_with_page(struct rig *rig, struct smmu_domain *d, enum smmu_domain_kind kind,
			  unsigned n)
{
	rig_domain(rig, d, kind);
	assert_int_equal(
		smmu_map(d, 0x1000, RIG_PA(n), 0x1000, SMMU_PROT_READ | SMMU_PROT_WRITE, 0), 0);
}

void rig_open_domains(struct rig *rig, const struct smmu_model_config *config, unsigned count,
		      struct smmu_domain *domain, struct smmu_domain *other)
{
	rig_open(rig, config, count);
	for (unsigned i = 0; i < count; i++)
		rig_up(rig, i, 0);
	rig_domain(rig, domain, SMMU_DOMAIN_STAGE1);
	rig_domain(rig, other, SMMU_DOMAIN_STAGE1);
	for (unsigned i = 1; i < 9; i++)
		assert_int_equal(smmu_map(domain, i * 0x1000, RIG_PA(i), 0x1000, SMMU_PROT_READ, 0),
				 0);
	assert_int_equal(smmu_map(other, 0x1000, RIG_PA(100), 0x1000, SMMU_PROT_READ, 0), 0);
}

void rig_close_domains(struct rig *rig, struct smmu_domain *domain, struct smmu_domain *other)
{
	assert_int_equal(smmu_domain_fini(domain), 0);
	assert_int_equal(smmu_domain_fini(other), 0);
	rig_close(rig);
}

bool rig_dma(struct rig_device *d, unsigned k, int32_t ssid, uint64_t iova, uint64_t *pa)
{
	struct smmu_dma dma = {.instance = d->smmu,
			       .stream = d->streams[k],
			       .ssid_valid = ssid >= 0,
			       .ssid = ssid >= 0 ? (uint32_t)ssid : 0,
			       .iova = iova};
	struct smmu_dma_result r = smmu_model_dma(d->rig->model, &dma);

	if (r.ok && pa)
		*pa = r.pa;
	return r.ok;
}

uint32_t rig_reg(const struct rig *rig, uint32_t offset)
{
	return rig->smmu[0].model->ops->read32(rig->smmu[0].model->ctx, offset);
}

void rig_set_reg(struct rig *rig, uint32_t offset, uint32_t value)
{
	rig->smmu[0].model->ops->write32(rig->smmu[0].model->ctx, offset, value);
}

struct smmu_fault rig_next_stall(struct rig *rig, struct smmu_faults *faults)
{
	struct smmu_event event;
	struct smmu_fault fault;

	assert_int_equal(smmu_instance_event(&rig->smmu[0].inst, &event), 1);
	assert_int_equal(smmu_fault_stalled(faults, &event, &fault), 1);
	return fault;
}

void rig_settle(struct rig *rig)
{
	for (unsigned i = 0; i < 200; i++)
		rig->smmu[0].model->ops->relax(rig->smmu[0].model->ctx);
}

bool rig_access(struct rig *rig, uint32_t stream)
{
	struct smmu_dma d = {.stream = stream, .iova = 0x1000};

	return smmu_model_dma(rig->model, &d).ok;
}

void rig_probe(struct rig *rig)
{
	struct smmu_instance_config cfg = rig_instance_config(rig, 0, 0);

	assert_int_equal(smmu_instance_probe(&rig->smmu[0].inst, &cfg), 0);
}

struct smmu_ste rig_ste(const struct rig_device *d, unsigned k)
{
	return *d->dev.streams->ste[k];
}
