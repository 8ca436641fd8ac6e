/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file internal.h
 * What the files of the model ask of each other.
 */
#ifndef SMMU_MODEL_INTERNAL_H
#define SMMU_MODEL_INTERNAL_H

#include <string.h>

#include "state.h"

/* chance.c */
uint64_t model_jitter(struct instance *in, uint64_t ns);
bool model_inject_now(struct instance *in, enum smmu_model_fault fault);
void model_misuse(struct instance *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** The device that sends as @p stream, or NULL. */
static inline struct smmu_model_device *model_find_device(struct instance *in, uint32_t stream)
{
	struct smmu_model_device *dev = in->found;

	if (dev && dev->stream == stream)
		return dev;
	for (dev = in->devices; dev && dev->stream != stream; dev = dev->next)
		;
	if (dev)
		in->found = dev;
	return dev;
}

/** A translation of @p dma begins. */
static inline void model_begin(struct xlate *x, const struct smmu_dma *dma, enum ask ask, bool look,
			       bool fill)
{
	memset(x, 0, offsetof(struct xlate, hit));
	x->in = *dma;
	x->ask = ask;
	x->look = look;
	x->fill = fill;
}

/** xorshift64*: every decision of an instance comes from here, so that its seed repeats them. */
static inline uint64_t model_rnd(struct instance *in)
{
	uint64_t x = in->rng;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	in->rng = x;
	return (x * 0x2545f4914f6cdd1dULL) >> 16;
}

static inline bool model_chance(struct instance *in, unsigned permille)
{
	return permille && model_rnd(in) % 1000 < permille;
}

/** Is it time to break something? */
static inline bool model_inject(struct instance *in, enum smmu_model_fault fault)
{
	return in->inject_every[fault] && model_inject_now(in, fault);
}

/** Bits of a bus address that exist: addresses of queues and MSIs are cut to the output size (3.4.3). */
static inline uint64_t oas_mask(const struct instance *in)
{
	return BIT(in->cfg.oas) - 1;
}

/** How many bits of a StreamID select an STE of the second level (STRTAB_BASE_CFG.SPLIT). */
static inline unsigned strtab_split(const struct instance *in)
{
	return (unsigned)bits(in->r.strtab_cfg, 10, 6);
}

/** 2^n, or the largest number there is. */
static inline uint64_t pow2(unsigned n)
{
	return n < 64 ? 1ULL << n : UINT64_MAX;
}

/** The log2 of the entries of a queue, by its base register and what IDR1 allows. */
static inline unsigned queue_log2(uint64_t base, unsigned max)
{
	unsigned n = (unsigned)bits(base, 4, 0);

	return n < max ? n : max;
}

/* clock.c */
void model_enter(struct instance *in);
void model_leave(struct instance *in);
uint64_t model_run_until(struct instance *in, uint64_t now);

/* memory.c */
bool model_load(struct instance *in, const struct xlate *x, enum smmu_model_use use, uint64_t pa,
		uint64_t *value);
bool model_load_words(struct instance *in, const struct xlate *x, enum smmu_model_use use,
		      uint64_t pa, uint64_t *w, unsigned n);
bool model_store_words(struct instance *in, enum smmu_model_use use, uint64_t pa, const uint64_t *w,
		       unsigned n);
/** The memory that such an access sees. */
const struct smmu_ram *model_view(const struct instance *in, const struct xlate *x,
				  enum smmu_model_use use);
/** The instance is about to update the descriptor at @p pa. */
void model_touch(struct instance *in, uint64_t pa);
bool model_store32(struct instance *in, enum smmu_model_use use, uint64_t pa, uint32_t value);

/** Do accesses with these attributes, as CR1, STEs and CDs encode them, see the processors' caches? */
static inline bool model_snoops(unsigned sh, unsigned oc, unsigned ic)
{
	return sh >= 2 && oc && ic;
}

/* control.c */
void model_control_reset(struct control *c);
void model_control_step(struct instance *in);
void model_control_next(struct instance *in);
void model_write_cr0(struct instance *in, uint32_t value);
void model_write_irq_ctrl(struct instance *in, uint32_t value);
void model_write_gbpa(struct instance *in, uint32_t value);

/* ident.c */
uint32_t model_ident(const struct smmu_model_config *c, uint32_t offset);

/* regs.c */
void model_regs_reset(struct instance *in);
uint32_t model_read_reg(struct instance *in, uint32_t offset);
void model_write_reg(struct instance *in, uint32_t offset, uint32_t value);
uint64_t *model_reg64(struct instance *in, uint32_t offset, const char **guard);

/* bus.c */
extern const struct smmu_bus_ops model_bus_ops;

/* signal.c */
void model_gerror(struct instance *in, uint32_t bit);
void model_raise_irq(struct instance *in, enum smmu_model_irq irq);
bool model_msi(struct instance *in, uint64_t addr, uint32_t data);

/* cmdq.c */
void model_cmdq_kick(struct instance *in);
void model_cmdq_enable(struct instance *in, bool on);
void model_cmdq_acked(struct instance *in);
void model_cmdq_step(struct instance *in);
void model_cmdq_show(struct instance *in);
void model_cmdq_cache(struct instance *in);
void model_cmdq_kill(struct instance *in, uint64_t nth, bool for_good);

/* layout.c */
bool model_cmd_reserved(const struct instance *in, const uint64_t cmd[2]);

/* effect.c */
int model_effect_check(struct instance *in, const uint64_t cmd[2]);
void model_effect_add(struct instance *in, const uint64_t cmd[2]);
void model_effect_due(struct instance *in);
uint64_t model_effect_done(const struct instance *in);
uint64_t model_effect_last_done(const struct instance *in, const uint64_t cmd[2]);
bool model_effect_timed_out(struct instance *in);
void model_effect_all(struct instance *in);

/* tlb.c, tlb_drop.c */
void model_tlb_init(struct tlb *t);
void model_tlb_clear(struct tlb *t);
struct tlb_entry *model_tlb_insert(struct instance *in, struct tlb *t, const struct tlb_entry *e);
struct tlb_entry *model_tlb_find(struct instance *in, const struct xlate *x, unsigned stages,
				 uint64_t addr);
bool model_tlb_conflict(struct instance *in, const struct xlate *x, unsigned stages, uint64_t addr,
			const struct tlb_entry *found);
struct tlb_entry *model_tlb_find_walk(struct instance *in, const struct xlate *x, unsigned stages,
				      uint64_t addr, unsigned granule);
struct tlb_entry *model_tlb_find_atc(struct smmu_model_device *dev, const struct smmu_dma *dma);
void model_tlb_drop(struct instance *in, const struct tlb_op *op);
size_t model_tlb_drop_atc(struct smmu_model_device *dev, bool all_ssids, bool ssid_valid,
			  uint32_t ssid, uint64_t base, uint64_t len, struct recent *taken,
			  size_t max);
void model_tlb_evict(struct instance *in);
struct smmu_model_tag model_tlb_tag(const struct tlb_entry *e, enum smmu_model_held where);

/* cfgcache.c */
struct cfg_entry *model_cfg_find(struct instance *in, enum cfg_kind kind, uint32_t stream,
				 uint32_t index);
void model_cfg_put(struct instance *in, enum cfg_kind kind, uint32_t stream, uint32_t index,
		   const uint64_t *w, unsigned words, uint64_t addr);
void model_cfg_evict(struct instance *in);
void model_cfg_clear(struct instance *in);
void model_cfg_drop_ste(struct instance *in, uint32_t first, uint64_t count, bool leaf);
void model_cfg_drop_cd(struct instance *in, uint32_t stream, uint32_t ssid, bool leaf);
void model_cfg_drop_cds(struct instance *in, uint32_t stream);

/* config.c */
bool model_locate_ste(struct instance *in, struct xlate *x, uint64_t *addr);
bool model_locate_cd(struct instance *in, struct xlate *x, uint32_t ssid, uint64_t *addr);
bool model_cfg_ste(struct instance *in, struct xlate *x);
bool model_cfg_cd(struct instance *in, struct xlate *x, uint32_t ssid);

/* decode.c */
bool model_ste_decode(const struct instance *in, struct ste *ste);
bool model_cd_decode(const struct instance *in, const struct ste *ste, struct cd *cd);

/* walk.c, walk_s1.c */
bool model_walk_s1(struct instance *in, struct xlate *x);
bool model_walk_s2(struct instance *in, struct xlate *x, uint64_t ipa, bool write, unsigned cls,
		   uint64_t *pa, uint64_t *base, uint8_t *log2, uint16_t *perms);
bool model_is_privileged(const struct xlate *x);
bool model_is_fetch(const struct xlate *x);
bool model_fail(struct xlate *x, uint8_t type, unsigned cls, bool s2, uint64_t ipa, uint64_t fetch);

/* httu.c */
bool model_htt_accesses(struct instance *in, const struct xlate *x);
bool model_htt_writes(const struct xlate *x);
bool model_htt_update(struct instance *in, const struct xlate *x, enum smmu_model_use use,
		      const struct htt_update *u, bool *abort);
/** Everybody sees what was marked. */
void model_htt_show(struct instance *in);

/* fetch.c */
void model_fetch_begin(struct instance *in, enum cfg_kind kind, uint32_t stream, uint32_t index,
		       uint64_t addr);
bool model_fetch_take(struct instance *in, enum cfg_kind kind, uint32_t stream, uint32_t index,
		      uint64_t addr, uint64_t w[8]);
void model_fetch_due(struct instance *in);
void model_fetch_finish(struct instance *in);
void model_fetch_drop(struct instance *in);

/* translate.c */
bool model_translate(struct instance *in, struct xlate *x);
bool model_output_fits(const struct instance *in, struct xlate *x);

/* speculate.c */
void model_speculate(struct instance *in, const struct recent *what);
void model_speculate_some(struct instance *in, unsigned n);
void model_reach(struct instance *in);
void model_stir(struct instance *in);
void model_wake(struct instance *in);
void model_restless_due(struct instance *in);

/* ats.c */
bool model_ats_access(struct instance *in, struct smmu_model_device *dev, struct xlate *x,
		      struct smmu_dma_result *res);
bool model_ats_translated(struct instance *in, struct xlate *x, uint64_t out);
void model_ats_invalidate(struct instance *in, const uint64_t cmd[2]);
bool model_ats_answers(struct instance *in, uint32_t stream);
void model_pri_response(struct instance *in, const uint64_t cmd[2]);

/* access.c */
/** One access through the caches; @p effects: fill them, record events. */
void model_access(struct instance *in, const struct smmu_dma *dma, bool effects,
		  struct smmu_dma_result *res);
/** Where tables in memory would take it: @p x. */
bool model_truth(struct instance *in, const struct smmu_dma *dma, struct xlate *x);

/* stall.c */
void model_stall_end(struct instance *in, struct stall *s);
bool model_stall_mute(struct instance *in, const uint64_t w[4]);
void model_stalls_disabled(struct instance *in);

/* resume.c */
void model_resume(struct instance *in, const uint64_t cmd[2], bool all);
void model_stalls_retry(struct instance *in);

/* events.c */
void model_event_record(struct instance *in, struct xlate *x);
void model_event_write(struct instance *in, const uint64_t w[4]);
bool model_events_writable(const struct instance *in);
void model_events_due(struct instance *in);
void model_events_flush(struct instance *in);
void model_event_flood(struct instance *in);
int model_pri_write(struct instance *in, const uint64_t w[2]);

#endif
