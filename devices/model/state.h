/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file state.h
 * What an instance is made of. Everything in it is protected by its mutex.
 */
#ifndef SMMU_MODEL_STATE_H
#define SMMU_MODEL_STATE_H

#include <pthread.h>

#include "arch.h"
#include "model.h"

#define NEVER UINT64_MAX
#define MAX_MISUSE 16
#define MISUSE_TEXT 160
#define RECENT 64

/*
 * Permissions, for each privilege level; at stage 2 only execution knows levels. Of an entry of an ATC only the first two and
 * PERM_UX are used: what the completion granted to the level that asked.
 */
enum {
	PERM_UR = 1,
	PERM_UW = 2,
	PERM_PR = 4,
	PERM_PW = 8,
	PERM_S2R = 16,
	PERM_S2W = 32,
	PERM_UX = 64,
	PERM_PX = 128,
	PERM_S2UX = 256,
	PERM_S2PX = 512,
	/* Writes are allowed once the descriptor of that stage, which is writable-clean, has been marked dirty. */
	PERM_S1_CLEAN = 1024,
	PERM_S2_CLEAN = 2048,
	/* Device memory by what stage 2 says. */
	PERM_S2_DEVICE = 4096,
	PERM_S1_ALL = PERM_UR | PERM_UW | PERM_PR | PERM_PW | PERM_UX | PERM_PX,
	PERM_S2_ALL = PERM_S2R | PERM_S2W | PERM_S2UX | PERM_S2PX,
	PERM_CLEAN = PERM_S1_CLEAN | PERM_S2_CLEAN,
};

/** A translation or a table pointer, held until an invalidation or an eviction takes it. */
struct tlb_entry {
	struct tlb_entry *next, *next_tagged;  /* in its buckets */
	struct tlb_entry *next_alike, **alike; /* among those of its tag; what points to it there */
	uint64_t tag;
	uint64_t span_base; /* what an invalidation by address matches: the whole block or page … */
	uint64_t base;      /* … and the piece of it that this entry answers for */
	uint8_t span_log2, log2;
	uint8_t stage; /* 1, 2 or 3 (stage 1 and 2 combined) */
	bool walk;     /* pa is a table, not an output */
	bool table_is_ipa;
	bool el2, global;
	bool atc, refilled;
	bool exe, priv;  /* atc: the request had them */
	bool spared;     /* once: SMMU_ERRATUM_TWICE */
	int8_t level;    /* of the descriptor, of stage 1 if combined */
	int8_t level2;   /* of stage 2, if combined */
	uint8_t granule; /* log2 */
	uint16_t perms;  /* walk: what the hierarchy leaves */
	uint16_t asid, vmid;
	uint64_t pa;
	uint64_t ipa; /* of base, if combined: for the record of a stage-2 fault */
	uint64_t seq, born;
	uint32_t stream, ssid;
	bool ssid_valid;
};

#define TLB_TAGS 64

/** Entries hashed by the span they belong to, by that and their tag, and by their tag alone. */
struct tlb {
	struct tlb_entry **buckets, **tagged;
	struct tlb_entry *alike[TLB_TAGS];
	size_t ntagged;
	uint32_t stage1[TLB_TAGS]; /* entries of stage 1, alone or combined, by VMID */
	uint64_t *full;            /* bit n: bucket n is not empty */
	size_t nbuckets, count;
	uint32_t class_count[64]; /* by span_log2 */
	uint64_t classes;         /* bit n: class_count[n] != 0 */
	size_t nglobal;
};

/** An STE and a CD taken apart. */
struct ste {
	uint64_t w[8];
	uint64_t addr;
	unsigned config, s1fmt, s1cdmax, s1dss, eats, strw, privcfg, instcfg;
	uint64_t s1ctxptr;
	uint16_t vmid;
	unsigned s2t0sz, s2granule, s2start, s2ia, s2oa;
	bool s2affd, s2r, s2s, s1stalld, s2ha, s2hd, s2ds, s2ptw;
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
	bool affd, r, s, wxn, ha, hd, ds;
	uint16_t asid;
};

enum cfg_kind { CFG_L1STE, CFG_STE, CFG_L1CD, CFG_CD };

enum cfg_state { CFG_RAW, CFG_LEGAL, CFG_ILLEGAL };

/** Of an STE or CD not the words alone are kept, but what they came to when they were first used. */
struct cfg_entry {
	struct cfg_entry *next;
	enum cfg_kind kind;
	uint32_t stream, index; /* index: of the L1STE, SubstreamID, or of the L1CD */
	bool spared;
	enum cfg_state state;
	unsigned under; /* a CD: what else decides what its words mean */
	uint64_t addr;  /* where it was fetched; 0 if that is not memory */
	union {
		uint64_t w[8];
		struct ste ste;
		struct cd cd;
	};
};

#define CFG_BUCKETS 1024
#define FETCHES 4

/** An STE or a CD that is being fetched, word by word. */
struct fetch {
	bool active;
	enum cfg_kind kind;
	uint32_t stream, index;
	uint64_t addr, w[8];
	uint8_t have; /* bit n: w[n] was read */
	uint64_t at;  /* it goes on then */
};

struct cfg_cache {
	struct cfg_entry *buckets[CFG_BUCKETS];
	uint64_t full[CFG_BUCKETS / 64]; /* bit n: bucket n is not empty */
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

#define CONTROL_FIELDS 5

/**
 * A register whose fields go through an Update (6.3.9): what was written is read back at once, takes effect field by
 * field at some moment before it is acknowledged, and is acknowledged field by field.
 */
struct control {
	uint32_t value; /* as written */
	uint32_t eff;   /* what the SMMU goes by */
	uint32_t ack;
	uint64_t eff_at[CONTROL_FIELDS], ack_at[CONTROL_FIELDS]; /* NEVER: nothing pending */
};

struct irq_regs {
	uint64_t cfg0;
	uint32_t cfg1, cfg2;
};

/** Registers, or parts of them, that reset to an UNKNOWN value. */
enum unknown {
	UNKNOWN_CR1_TABLE = 1 << 0,
	UNKNOWN_CR1_QUEUE = 1 << 1,
	UNKNOWN_CR2 = 1 << 2,
	UNKNOWN_STRTAB_BASE = 1 << 3,
	UNKNOWN_STRTAB_CFG = 1 << 4,
	/* of each queue: its base and both its indexes, in this order */
	UNKNOWN_CMDQ = 1 << 5,
	UNKNOWN_EVENTQ = 1 << 8,
	UNKNOWN_PRIQ = 1 << 11,
	/* of each interrupt: IRQ_CFG0, 1 and 2 */
	UNKNOWN_IRQ_GERROR = 1 << 14,
	UNKNOWN_IRQ_EVENTQ = 1 << 17,
	UNKNOWN_IRQ_PRIQ = 1 << 20,
	UNKNOWN_ALL = (1 << 23) - 1,
};

struct regs {
	struct control cr0, irq;
	uint32_t cr1, cr2;
	uint32_t gbpa, gbpa_eff; /* as read; what transactions meet */
	uint32_t gerror, gerrorn;
	uint64_t strtab_base;
	uint32_t strtab_cfg;
	struct queue_regs cmdq, eventq, priq;
	struct irq_regs irq_gerror, irq_eventq, irq_priq;
	bool gbpa_busy;
	uint64_t gbpa_eff_at, gbpa_at; /* effect and end of an Update; NEVER: nothing pending */
	uint64_t next;                 /* the earliest of all these moments */
	uint32_t unknown; /* what reset left UNKNOWN and nobody has written since: enum unknown */
};

enum cmdq_state { CMDQ_IDLE, CMDQ_FETCH, CMDQ_SYNC, CMDQ_ERROR, CMDQ_DEAD };

#define CACHED_COMMANDS 64

/** A command that was read before its turn; of position n of the queue, wrap bit included, in n modulo the number. */
struct cached_command {
	uint32_t position;
	uint64_t w[2];
};

/** Inputs that a prefetcher may pick from. */
struct recent {
	uint32_t stream, ssid;
	bool ssid_valid;
	uint64_t iova;
};

#define LATE_MARKS 32

/* Bits of a leaf: AF, and AP[2] or S2AP[1]. */
enum { HTT_DIRTY = 7, HTT_AF = 10, HTT_DBM = 51 };
/** nT, of a block: it is not kept beside entries of other sizes (3.21.1.2). */
#define LEAF_NT BIT(16)

/** An update of the descriptor at @p at, which is @p seen, of @p level. */
struct htt_update {
	uint64_t at, seen, set, clear;
	int level;
};

/** One that nobody but this instance sees yet. */
struct late_mark {
	struct smmu_ram view;
	struct htt_update u;
};

#define STALLS 64

/* STALL_MUTE: it waits, and its record found no room; it is tried again when there is some (7.2.1). */
enum stall_state { STALL_FREE, STALL_WAITS, STALL_MUTE, STALL_DONE };

/** A transaction that stalled. Its tag is the number of its place, and more, so that a tag comes back late. */
struct stall {
	enum stall_state state;
	uint16_t tag;
	struct smmu_dma dma;
	struct smmu_dma_result result; /* once it is done */
};

#define LATE_EVENTS 32

/** An event record that is on its way to the queue. */
struct late_event {
	uint64_t w[4];
	uint64_t at;
};

/** Why an access failed, for its event. type 0: it is aborted without one. */
struct fault {
	uint8_t type;
	uint8_t cls;
	bool s2;
	bool record, stall;
	bool tt_write; /* a descriptor was to be updated */
	uint64_t ipa, fetch;
};

enum ask { ASK_DMA, ASK_ATS, ASK_PREFETCH, ASK_PROBE, ASK_TRUTH };

/** One translation under way. */
struct xlate {
	struct smmu_dma in;
	enum ask ask;
	bool look, fill; /* use caches, and put into them */
	bool translated; /* an ATS translated access: only stage 2 if split */
	bool nt;         /* stage 2 came by a block that is not to be kept */
	bool nw0;        /* an ATS request of a device that may write: NW is 0 */

	/* answers */
	struct fault fault;
	uint64_t pa;
	uint8_t log2; /* the translation holds for so much around the input */
	uint16_t perms;
	int8_t s2_level; /* of the leaf of stage 2 that was used last */
	bool recorded;
	uint64_t record; /* recorded: word 1 of the event record, which says who accessed */
	bool tlb_hit, walk_hit, ste_hit, cd_hit;
	uint64_t walk_table;
	bool have_hit, have_ste, have_cd;
	/* regime */
	bool el2;
	uint16_t asid, vmid;
	/* These are there if have_hit, have_ste, have_cd say so: model_begin() leaves them as they are. */
	struct tlb_entry hit; /* a copy of the entry that answered */
	struct ste ste;
	struct cd cd;
};

struct instance {
	struct smmu_model *model;
	unsigned index;
	struct smmu_model_config cfg;
	struct smmu_bus bus;
	struct smmu_ram
		behind; /* memory behind the caches, as accesses see it that are not coherent */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running, stop;
	bool entered;  /* a call is under way, where no lock keeps a second one out */
	unsigned irqs; /* to deliver once the lock is left */
	uint64_t now;  /* never goes backward */
	uint64_t rng;

	struct regs r;
	enum cmdq_state cmdq;
	uint64_t cmdq_at;    /* when its next step is due */
	uint64_t cmdq_since; /* when it began with the command at CONS */
	uint64_t sync_cmd[2];
	uint32_t cons_shown; /* CMDQ_CONS as it reads; r.cmdq.cons is where the queue really is */
	unsigned unshown;
	unsigned since_sync; /* invalidations */
	unsigned ahead;      /* ATC_INVs in the queue that were sent before their turn */
	uint64_t dies_at;    /* counts commands down; 0: no */
	bool dead_for_good;
	struct cached_command cached[CACHED_COMMANDS];
	uint64_t cached_valid; /* bit n: cached[n] holds a command */
	uint64_t paused_until;
	uint64_t restless_at; /* it speculates then; NEVER: it rests */
	unsigned restless_left;
	struct effect *pending;
	size_t npending, cap_pending;
	uint64_t pending_at;       /* the earliest of them */
	bool cfg_known, tlb_known; /* invalidated as a whole since power on */

	struct fetch fetch[FETCHES];
	uint64_t fetch_at;                   /* the first of them; NEVER: none */
	struct late_event late[LATE_EVENTS]; /* in order */
	unsigned nlate;
	uint64_t late_at; /* the first of them; NEVER: none */

	struct late_mark mark[LATE_MARKS];
	unsigned nmarks;

	struct tlb tlb, walks;
	struct cfg_cache cfgs;
	uint64_t seq;
	struct recent recent[RECENT];
	unsigned nrecent;
	struct xlate last;       /* the brief access that came last, */
	struct smmu_dma last_as; /* as it was before it was translated */

	struct smmu_model_device *devices, *found; /* found: the last one that was looked up */
	unsigned ndevices;
	uint32_t stag;       /* of the next stalled access */
	uint16_t stag_given; /* the last */
	unsigned stalled;    /* so many wait */
	unsigned
		ended; /* and so many CMD_STALL_TERM ended that had a record, and nobody has answered */
	struct stall stall[STALLS];
	struct smmu_model_counters count;
	char misuse[MAX_MISUSE][MISUSE_TEXT];
	bool sfm;             /* smmu_model_fail_service() */
	bool mute_acks, gone; /* smmu_model_acknowledge(), smmu_model_vanish() */
	unsigned inject_every[SMMU_FAULT_COUNT], inject_left[SMMU_FAULT_COUNT];
};

#define ATC_BUCKETS 256
#define PRI_GROUPS 512

struct smmu_model_device {
	struct smmu_model_device *next;
	struct instance *in;
	uint32_t stream;
	bool has_atc, ats_on, muted, dead;
	bool late;         /* an ATC_INV was given up because it was slow, since the last reset */
	unsigned stu;      /* log2 */
	uint32_t extra_ns; /* on top of cfg.atc_ns */
	struct tlb atc;
	int8_t response[PRI_GROUPS];
	/* The last of the group is in the PRI queue, and was not answered; so many of them. */
	bool asked[PRI_GROUPS];
	unsigned open;
};

struct smmu_model {
	enum smmu_model_clock clock;
	struct smmu_ram ram;
	struct smmu_model_hooks hooks;
	uint64_t now;
	/*
	 * Virtual clock: when each instance is due next, and in node 1 of a tournament, whose `leaves` are the instances,
	 * which is the first; of several at once the lowest.
	 */
	uint64_t due[SMMU_MODEL_MAX_INSTANCES];
	uint8_t sooner[2 * SMMU_MODEL_MAX_INSTANCES];
	uint64_t next; /* when that one is due */
	unsigned leaves;
	unsigned count;
	struct instance in[];
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

#endif
