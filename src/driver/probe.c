/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an SMMU can do, from its ID registers, and whether that is enough. IHI 0070 G.b, 6.3.1.
 */
#include "driver.h"

#define CMDQ_LOG2_DEFAULT 10u
#define EVTQ_LOG2_DEFAULT 15u
#define PRIQ_LOG2_DEFAULT 7u
#define TIMEOUT_NS_DEFAULT 1000000000u
#define ATC_TIMEOUT_NS_DEFAULT 100000000000u

static int refuse(const struct smmu_instance *inst, const char *why)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), why);
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
	return -SMMU_EOPNOTSUPP;
}

static uint32_t bit(uint64_t mask, uint32_t reg, uint32_t feature)
{
	return reg & mask ? feature : 0;
}

static uint32_t idr0_features(uint32_t idr0)
{
	uint32_t bits =
		bit(SMMU_IDR0_S1P, idr0, SMMU_FEAT_S1) | bit(SMMU_IDR0_S2P, idr0, SMMU_FEAT_S2) |
		bit(SMMU_IDR0_COHACC, idr0, SMMU_FEAT_COHERENT) |
		bit(SMMU_IDR0_CD2L, idr0, SMMU_FEAT_2LVL_CDTAB) |
		bit(SMMU_IDR0_ATS, idr0, SMMU_FEAT_ATS) | bit(SMMU_IDR0_PRI, idr0, SMMU_FEAT_PRI) |
		bit(SMMU_IDR0_MSI, idr0, SMMU_FEAT_MSI) | bit(SMMU_IDR0_SEV, idr0, SMMU_FEAT_SEV) |
		bit(SMMU_IDR0_HYP, idr0, SMMU_FEAT_HYP);

	if ((bits & SMMU_FEAT_S1) && (bits & SMMU_FEAT_S2))
		bits |= SMMU_FEAT_NESTED;
	if (smmu_field_get(SMMU_IDR0_ST_LEVEL, idr0) == SMMU_IDR0_ST_LEVEL_2LVL)
		bits |= SMMU_FEAT_2LVL_STRTAB;
	if (smmu_field_get(SMMU_IDR0_STALL_MODEL, idr0) == SMMU_IDR0_STALL_MODEL_BOTH)
		bits |= SMMU_FEAT_STALL;
	/* PCIe cannot stall (3.12.1), so there is none, nor ATS. */
	if (smmu_field_get(SMMU_IDR0_STALL_MODEL, idr0) == SMMU_IDR0_STALL_MODEL_FORCE)
		bits = (bits & ~(uint32_t)SMMU_FEAT_ATS) | SMMU_FEAT_STALL_ALL;
	return bits;
}

static int read_idr0(struct smmu_instance *inst)
{
	uint32_t idr0 = inst->idr0;
	uint64_t ttf = smmu_field_get(SMMU_IDR0_TTF, idr0);

	if (idr0 == UINT32_MAX)
		return refuse(inst, "IDR0 reads as ones: there is no SMMU at this address");
	inst->features.bits = idr0_features(idr0);
	if (inst->cfg.coherent_override)
		inst->features.bits |= SMMU_FEAT_COHERENT;
	if (smmu_field_get(SMMU_IDR0_HTTU, idr0) >= SMMU_IDR0_HTTU_ACCESS_DIRTY &&
	    inst->features.bits & SMMU_FEAT_COHERENT)
		inst->features.bits |= SMMU_FEAT_DIRTY;
	if (!(inst->features.bits & (SMMU_FEAT_S1 | SMMU_FEAT_S2)))
		return refuse(inst, "IDR0.S1P and IDR0.S2P are 0: it translates nothing");
	if (ttf != SMMU_IDR0_TTF_AARCH64 && ttf != SMMU_IDR0_TTF_AARCH32_64)
		return refuse(inst, "IDR0.TTF: no AArch64 translation tables");
	if (smmu_field_get(SMMU_IDR0_TTENDIAN, idr0) == SMMU_IDR0_TTENDIAN_BIG)
		return refuse(inst, "IDR0.TTENDIAN: translation tables are big-endian only");
	if (smmu_field_get(SMMU_IDR0_STALL_MODEL, idr0) > SMMU_IDR0_STALL_MODEL_FORCE)
		return refuse(inst, "IDR0.STALL_MODEL has a reserved value");
	if (smmu_field_get(SMMU_IDR0_ST_LEVEL, idr0) > SMMU_IDR0_ST_LEVEL_2LVL)
		return refuse(inst, "IDR0.ST_LEVEL has a reserved value");
	inst->features.asid_bits = idr0 & SMMU_IDR0_ASID16 ? 16 : 8;
	inst->features.vmid_bits = idr0 & SMMU_IDR0_VMID16 ? 16 : 8;
	return 0;
}

static int read_idr1(struct smmu_instance *inst)
{
	struct smmu_features *f = &inst->features;
	uint32_t idr1 = inst->idr1;

	if (idr1 & (SMMU_IDR1_TABLES_PRESET | SMMU_IDR1_QUEUES_PRESET))
		return refuse(inst, "IDR1.TABLES_PRESET or QUEUES_PRESET: fixed tables or queues "
				    "are not supported");
	f->sid_bits = (uint8_t)smmu_field_get(SMMU_IDR1_SIDSIZE, idr1);
	f->ssid_bits = (uint8_t)smmu_field_get(SMMU_IDR1_SSIDSIZE, idr1);
	f->cmdq_log2 = (uint8_t)smmu_field_get(SMMU_IDR1_CMDQS, idr1);
	f->evtq_log2 = (uint8_t)smmu_field_get(SMMU_IDR1_EVENTQS, idr1);
	/* Without PRI its queue has any size (6.3.2). */
	if (inst->idr0 & SMMU_IDR0_PRI)
		f->priq_log2 = (uint8_t)smmu_field_get(SMMU_IDR1_PRIQS, idr1);
	if (f->sid_bits > 32)
		return refuse(inst, "IDR1.SIDSIZE is above 32");
	if (f->ssid_bits > 20)
		return refuse(inst, "IDR1.SSIDSIZE is above 20");
	if (f->cmdq_log2 > SMMU_QUEUE_LOG2SIZE_MAX || f->evtq_log2 > SMMU_QUEUE_LOG2SIZE_MAX ||
	    f->priq_log2 > SMMU_QUEUE_LOG2SIZE_MAX)
		return refuse(inst, "IDR1: a queue size is above 19");
	if (f->cmdq_log2 < 1)
		return refuse(inst, "IDR1.CMDQS: a command queue of one entry is too small");
	return 0;
}

static int read_idr5(struct smmu_instance *inst)
{
	static const uint8_t oas[] = {32, 36, 40, 42, 44, 48, 52};
	uint32_t idr3 = inst->idr3, idr5 = inst->idr5;
	uint64_t code = smmu_field_get(SMMU_IDR5_OAS, idr5);

	inst->features.bits |= bit(SMMU_IDR3_RIL, idr3, SMMU_FEAT_RANGE) |
			       bit(SMMU_IDR5_GRAN4K, idr5, SMMU_FEAT_4K) |
			       bit(SMMU_IDR5_GRAN16K, idr5, SMMU_FEAT_16K) |
			       bit(SMMU_IDR5_GRAN64K, idr5, SMMU_FEAT_64K);
	if (!(inst->features.bits & (SMMU_FEAT_4K | SMMU_FEAT_16K | SMMU_FEAT_64K)))
		return refuse(inst, "IDR5: no translation granule");
	/* 3 is reserved. */
	inst->features.bbml = (uint8_t)(smmu_field_get(SMMU_IDR3_BBML, idr3) % 3);
	/* More than 52 bits need a table format of their own; what fits in 52 works. */
	inst->features.oas = code < SMMU_ARRAY_SIZE(oas) ? oas[code] : 52;
	return 0;
}

static uint8_t queue_log2(uint8_t wanted, uint8_t otherwise, uint8_t most)
{
	return (uint8_t)smmu_min64(wanted ? wanted : otherwise, most);
}

static void name_it(struct smmu_instance *inst)
{
	struct smmu_text t;

	inst->name = inst->cfg.name;
	if (inst->name)
		return;
	smmu_text_init(&t, inst->name_buf, sizeof(inst->name_buf));
	smmu_text_str(&t, "smmu");
	smmu_text_dec(&t, inst->cfg.index);
	inst->name = inst->name_buf;
}

/** A message of an interrupt source that the SMMU can write. */
static int check_msi(const struct smmu_instance *inst, const char *what, const struct smmu_msi *msi)
{
	if (!msi->address)
		return 0;
	if (msi->address & 3)
		return -SMMU_EINVAL;
	if (!(inst->idr0 & SMMU_IDR0_MSI))
		return refuse(inst, "IDR0.MSI is 0: it has no interrupt messages");
	return smmu_instance_reaches(inst, what, msi->address, sizeof(uint32_t));
}

static int check_msis(const struct smmu_instance *inst)
{
	int error = check_msi(inst, "the event queue's interrupt message", &inst->cfg.event_msi);

	if (!error)
		error = check_msi(inst, "the interrupt message of global errors",
				  &inst->cfg.gerror_msi);
	return error ? error
		     : check_msi(inst, "the PRI queue's interrupt message", &inst->cfg.pri_msi);
}

static int read_ids(struct smmu_instance *inst)
{
	int error;

	inst->idr0 = smmu_mmio_read32(&inst->mmio, SMMU_IDR0);
	inst->idr1 = smmu_mmio_read32(&inst->mmio, SMMU_IDR1);
	inst->idr3 = smmu_mmio_read32(&inst->mmio, SMMU_IDR3);
	inst->idr5 = smmu_mmio_read32(&inst->mmio, SMMU_IDR5);
	error = read_idr0(inst);
	if (!error)
		error = read_idr1(inst);
	return error ? error : read_idr5(inst);
}

static void apply_quirks(struct smmu_instance *inst)
{
	static const struct {
		uint32_t quirk, feature;
	} cleared[] = {
		{SMMU_QUIRK_NO_RANGE, SMMU_FEAT_RANGE},   {SMMU_QUIRK_NO_MSI, SMMU_FEAT_MSI},
		{SMMU_QUIRK_NO_ATS, SMMU_FEAT_ATS},       {SMMU_QUIRK_NO_SEV, SMMU_FEAT_SEV},
		{SMMU_QUIRK_NO_NESTED, SMMU_FEAT_NESTED},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(cleared); i++)
		if (inst->cfg.quirks & cleared[i].quirk)
			inst->features.bits &= ~cleared[i].feature;
}

int smmu_instance_probe(struct smmu_instance *inst, const struct smmu_instance_config *cfg)
{
	/* No two instances of a system share an index, whatever port they have: arrays tell instances apart by it. */
	static uint32_t instances;
	int error;

	if (!inst || !cfg || !cfg->port || !cfg->port->ops || !cfg->port->rcu)
		return -SMMU_EINVAL;
	*inst = (struct smmu_instance){.cfg = *cfg, .port = cfg->port, .mmio = cfg->mmio};
	name_it(inst);
	if (!inst->cfg.mmio_size)
		inst->cfg.mmio_size = SMMU_REGS_SIZE;
	error = read_ids(inst);
	if (!error)
		inst->cfg.quirks |= smmu_quirks_from(smmu_mmio_read32(&inst->mmio, SMMU_IIDR),
						     SMMU_IORT_MODEL_GENERIC, NULL);
	if (!error)
		error = check_msis(inst);
	if (error)
		return error;
	apply_quirks(inst);
	inst->cfg.cmdq_log2 =
		queue_log2(cfg->cmdq_log2, CMDQ_LOG2_DEFAULT, inst->features.cmdq_log2);
	inst->cfg.evtq_log2 =
		queue_log2(cfg->evtq_log2, EVTQ_LOG2_DEFAULT, inst->features.evtq_log2);
	inst->evtq_may_shrink = !cfg->evtq_log2;
	inst->cfg.priq_log2 =
		queue_log2(cfg->priq_log2, PRIQ_LOG2_DEFAULT, inst->features.priq_log2);
	if (!inst->cfg.timeout_ns)
		inst->cfg.timeout_ns = TIMEOUT_NS_DEFAULT;
	if (!inst->cfg.atc_timeout_ns)
		inst->cfg.atc_timeout_ns = ATC_TIMEOUT_NS_DEFAULT;
	if (!(inst->features.bits & SMMU_FEAT_ATS))
		inst->cfg.atc_timeout_ns = 0;
	smmu_target_init(inst);
	inst->target.index = smmu_fetch_add(&instances, 1);
	return 0;
}
