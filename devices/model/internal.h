/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file internal.h
 * What the files of the model share. Everything about an instance is protected by its mutex.
 */
#ifndef SMMU_MODEL_INTERNAL_H
#define SMMU_MODEL_INTERNAL_H

#include <pthread.h>

#include "arch.h"
#include "model.h"

#define NEVER UINT64_MAX
#define MAX_MISUSE 16
#define MISUSE_TEXT 160
#define RECENT 64

/* Permissions. Stage 1 knows two privilege levels, stage 2 one. */
enum {
	PERM_UR = 1,
	PERM_UW = 2,
	PERM_PR = 4,
	PERM_PW = 8,
	PERM_S2R = 16,
	PERM_S2W = 32,
	PERM_S1_ALL = 15,
	PERM_S2_ALL = 48,
};

/** A translation or a table pointer, held until an invalidation or an eviction takes it. */
struct tlb_entry {
	struct tlb_entry *next; /* in its bucket */
	uint64_t span_base; /* what an invalidation by address matches: the whole block or page … */
	uint64_t base;      /* … and the piece of it that this entry answers for */
	uint8_t span_log2, log2;
	uint8_t stage; /* 1, 2 or 3 (stage 1 and 2 combined) */
	bool walk;     /* pa is a table, not an output */
	bool table_is_ipa;
	bool el2, global;
	bool atc, refilled;
	uint8_t level;   /* of the descriptor, of stage 1 if combined */
	uint8_t granule; /* log2 */
	uint8_t perms;   /* walk: what the hierarchy leaves */
	uint16_t asid, vmid;
	uint64_t pa;
	uint64_t ipa; /* of base, if combined: for the record of a stage-2 fault */
	uint64_t seq, born;
	uint32_t stream, ssid;
	bool ssid_valid;
};

/** Entries hashed by the span they belong to. */
struct tlb {
	struct tlb_entry **buckets;
	size_t nbuckets, count;
	uint32_t class_count[64]; /* by span_log2 */
	uint64_t classes;         /* bit n: class_count[n] != 0 */
};

enum cfg_kind { CFG_L1STE, CFG_STE, CFG_L1CD, CFG_CD };

struct cfg_entry {
	struct cfg_entry *next;
	enum cfg_kind kind;
	uint32_t stream, index; /* index: of the L1STE, SubstreamID, or of the L1CD */
	uint64_t w[8];
	uint64_t addr; /* where it was fetched; 0 if that is not memory */
};

#define CFG_BUCKETS 1024

struct cfg_cache {
	struct cfg_entry *buckets[CFG_BUCKETS];
	size_t count;
};

/** A TLBI, CFGI or ATC_INV that was consumed and has not taken effect yet. */
struct effect {
	uint64_t cmd[2];
	uint64_t at;   /* takes effect by itself then; NEVER: with the next CMD_SYNC */
	uint64_t done; /* a CMD_SYNC cannot complete earlier */
	bool applied, unanswered;
};

struct queue_regs {
	uint64_t base;
	uint32_t prod, cons;
};

struct irq_regs {
	uint64_t cfg0;
	uint32_t cfg1, cfg2;
};

struct regs {
	uint32_t cr0, cr0ack, cr1, cr2;
	uint32_t gbpa, gbpa_next;
	uint32_t irq_ctrl, irq_ctrlack;
	uint32_t gerror, gerrorn;
	uint64_t strtab_base;
	uint32_t strtab_cfg;
	struct queue_regs cmdq, eventq, priq;
	struct irq_regs irq_gerror, irq_eventq, irq_priq;
	uint64_t cr0_at, gbpa_at,
		irq_at; /* when a written value comes into force; NEVER: nothing pending */
};

enum cmdq_state { CMDQ_IDLE, CMDQ_FETCH, CMDQ_SYNC, CMDQ_ERROR };

/** Inputs that a prefetcher may pick from. */
struct recent {
	uint32_t stream, ssid;
	bool ssid_valid;
	uint64_t iova;
};

struct instance {
	struct smmu_model *model;
	unsigned index;
	struct smmu_model_config cfg;
	struct smmu_bus bus;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running, stop;
	unsigned irqs; /* to deliver once the lock is left */
	uint64_t now;  /* never goes backward */
	uint64_t rng;

	struct regs r;
	enum cmdq_state cmdq;
	uint64_t cmdq_at; /* when its next step is due */
	uint64_t sync_cmd[2];
	struct effect *pending;
	size_t npending, cap_pending;
	uint64_t pending_at;       /* the earliest of them */
	bool cfg_known, tlb_known; /* invalidated as a whole since power on */

	struct tlb tlb, walks;
	struct cfg_cache cfgs;
	uint64_t seq;
	struct recent recent[RECENT];
	unsigned nrecent;

	struct smmu_model_device *devices;
	struct smmu_model_counters count;
	char misuse[MAX_MISUSE][MISUSE_TEXT];
	unsigned inject_every[SMMU_FAULT_COUNT], inject_left[SMMU_FAULT_COUNT];
};

#define ATC_BUCKETS 256
#define PRI_GROUPS 512

struct smmu_model_device {
	struct smmu_model_device *next;
	struct instance *in;
	uint32_t stream;
	bool has_atc, ats_on, muted, dead;
	uint32_t extra_ns; /* on top of cfg.atc_ns */
	struct tlb atc;
	int8_t response[PRI_GROUPS];
};

struct smmu_model {
	enum smmu_model_clock clock;
	struct smmu_ram ram;
	struct smmu_model_hooks hooks;
	uint64_t now;
	unsigned count;
	struct instance in[];
};

/** An STE and a CD taken apart. */
struct ste {
	uint64_t w[8];
	uint64_t addr;
	unsigned config, s1fmt, s1cdmax, s1dss, eats, strw, privcfg;
	uint64_t s1ctxptr;
	uint16_t vmid;
	unsigned s2t0sz, s2granule, s2start, s2ia, s2oa;
	bool s2affd, s2r;
	uint64_t s2ttb;
};

struct cd_half {
	bool off; /* EPD */
	bool tbi, had;
	unsigned tsz, granule;
	uint64_t ttb;
};

struct cd {
	uint64_t w[8];
	uint64_t addr;
	struct cd_half half[2];
	unsigned oa;
	bool affd, r;
	uint16_t asid;
};

/** Why an access failed, for its event. type 0: it is aborted without one. */
struct fault {
	uint8_t type;
	uint8_t cls;
	bool s2;
	bool record;
	uint64_t ipa, fetch;
};

enum ask { ASK_DMA, ASK_ATS, ASK_PREFETCH, ASK_PROBE, ASK_TRUTH };

/** One translation under way. */
struct xlate {
	struct smmu_dma in;
	enum ask ask;
	bool look, fill; /* use caches, and put into them */
	bool translated; /* an ATS translated access: only stage 2 if split */

	/* answers */
	struct fault fault;
	uint64_t pa;
	uint8_t log2; /* the translation holds for so much around the input */
	uint8_t perms;
	bool tlb_hit, walk_hit, ste_hit, cd_hit;
	uint64_t walk_table;
	bool have_hit;
	struct tlb_entry hit; /* a copy of the entry that answered */
	struct ste ste;
	struct cd cd;
	bool have_ste, have_cd;
	/* regime */
	bool el2;
	uint16_t asid, vmid;
};

/** Which entries a TLBI takes. */
struct tlb_op {
	bool s1, s2; /* stage 1 and combined; stage 2 */
	bool el2;
	bool by_vmid, by_asid, by_addr, all_regimes;
	uint16_t vmid, asid;
	bool leaf;
	uint64_t base, len; /* by_addr */
	unsigned granule;   /* log2, 0: any */
	unsigned level;     /* TTL, 0: any */
};

/* chance.c */
uint64_t model_rnd(struct instance *in);
bool model_chance(struct instance *in, unsigned permille);
uint64_t model_jitter(struct instance *in, uint64_t ns);
bool model_inject(struct instance *in, enum smmu_model_fault fault);
void model_misuse(struct instance *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** One aligned 64-bit load; false: the address is not memory. */
static inline bool ram_load(struct instance *in, uint64_t pa, uint64_t *value)
{
	const uint64_t *p = smmu_ram_at(&in->model->ram, pa, 8);

	if (!p || (pa & 7))
		return false;
	*value = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return true;
}

static inline bool ram_store(struct instance *in, uint64_t pa, uint64_t value)
{
	uint64_t *p = smmu_ram_at(&in->model->ram, pa, 8);

	if (!p || (pa & 7))
		return false;
	__atomic_store_n(p, value, __ATOMIC_RELAXED);
	return true;
}

static inline bool ram_store32(struct instance *in, uint64_t pa, uint32_t value)
{
	uint32_t *p = smmu_ram_at(&in->model->ram, pa, 4);

	if (!p || (pa & 3))
		return false;
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
	return true;
}

/** 2^n, or the largest number there is. */
static inline uint64_t pow2(unsigned n)
{
	return n < 64 ? 1ULL << n : UINT64_MAX;
}

/* clock.c */
void model_enter(struct instance *in);
void model_leave(struct instance *in);
void model_run_until(struct instance *in, uint64_t now);
uint64_t model_next_due(struct instance *in);

/* regs.c */
void model_regs_reset(struct instance *in);
void model_regs_step(struct instance *in);
uint64_t model_regs_next(struct instance *in);
extern const struct smmu_bus_ops model_bus_ops;
static inline unsigned queue_log2(uint64_t base, unsigned max)
{
	unsigned n = (unsigned)bits(base, 4, 0);

	return n < max ? n : max;
}
void model_gerror(struct instance *in, uint32_t bit);

/* cmdq.c */
void model_cmdq_kick(struct instance *in);
void model_cmdq_enable(struct instance *in, bool on);
void model_cmdq_acked(struct instance *in);
void model_cmdq_step(struct instance *in);

/* effect.c */
int model_effect_check(struct instance *in, const uint64_t cmd[2]);
void model_effect_add(struct instance *in, const uint64_t cmd[2]);
void model_effect_due(struct instance *in);
uint64_t model_effect_done(const struct instance *in);
bool model_effect_timed_out(struct instance *in);
void model_effect_all(struct instance *in);

/* tlb.c */
void model_tlb_init(struct tlb *t);
void model_tlb_clear(struct tlb *t);
struct tlb_entry *model_tlb_insert(struct instance *in, struct tlb *t, const struct tlb_entry *e);
struct tlb_entry *model_tlb_find(struct instance *in, const struct xlate *x, unsigned stages,
				 uint64_t addr);
struct tlb_entry *model_tlb_find_walk(struct instance *in, const struct xlate *x, unsigned stages,
				      uint64_t addr, unsigned granule);
struct tlb_entry *model_tlb_find_atc(struct smmu_model_device *dev, bool ssid_valid, uint32_t ssid,
				     uint64_t addr);
void model_tlb_drop(struct instance *in, const struct tlb_op *op);
size_t model_tlb_drop_atc(struct smmu_model_device *dev, bool all_ssids, bool ssid_valid,
			  uint32_t ssid, uint64_t base, uint64_t len, struct recent *taken,
			  size_t max);
void model_tlb_evict(struct instance *in);
struct smmu_model_tag model_tlb_tag(const struct tlb_entry *e, enum smmu_model_held where);

/* config.c */
void model_cfg_clear(struct instance *in);
bool model_cfg_ste(struct instance *in, struct xlate *x);
bool model_cfg_cd(struct instance *in, struct xlate *x, uint32_t ssid);
void model_cfg_drop_ste(struct instance *in, uint32_t first, uint64_t count, bool leaf);
void model_cfg_drop_cd(struct instance *in, uint32_t stream, uint32_t ssid, bool leaf);
void model_cfg_drop_cds(struct instance *in, uint32_t stream);

/* decode.c */
bool model_ste_decode(struct instance *in, struct ste *ste);
bool model_cd_decode(struct instance *in, const struct ste *ste, struct cd *cd);

/* walk.c */
bool model_walk_s1(struct instance *in, struct xlate *x);
bool model_walk_s2(struct instance *in, struct xlate *x, uint64_t ipa, bool write, unsigned cls,
		   uint64_t *pa, uint64_t *base, uint8_t *log2, uint8_t *perms);
bool model_fail(struct xlate *x, uint8_t type, unsigned cls, bool s2, uint64_t ipa, uint64_t fetch);

/* translate.c */
bool model_translate(struct instance *in, struct xlate *x);
void model_speculate(struct instance *in, const struct recent *what);
void model_speculate_some(struct instance *in, unsigned n);

/* ats.c */
struct smmu_model_device *model_find_device(struct instance *in, uint32_t stream);
bool model_ats_access(struct instance *in, struct smmu_model_device *dev, struct xlate *x,
		      struct smmu_dma_result *res);
void model_ats_invalidate(struct instance *in, const uint64_t cmd[2]);
bool model_ats_answers(struct instance *in, uint32_t stream);
void model_pri_response(struct instance *in, const uint64_t cmd[2]);

/* events.c */
void model_event_record(struct instance *in, const struct xlate *x);
void model_event_write(struct instance *in, const uint64_t w[4]);
void model_event_flood(struct instance *in);
bool model_pri_write(struct instance *in, const uint64_t w[2]);
void model_raise_irq(struct instance *in, enum smmu_model_irq irq);

#endif
