/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file model.h
 * An SMMUv3 in this process, behind the registers and the memory of hardware, as awkward as IHI 0070 allows.
 *
 * It keeps every translation, table pointer and configuration that it may keep, lets an invalidation take effect
 * as late as a CMD_SYNC permits, completes that CMD_SYNC late, and answers out of step between instances. Nothing
 * that a driver writes into a register, a queue or a table stops it: bad input becomes the event or the error
 * that the architecture names, or a line in the list of misuses.
 *
 * Written from the architecture alone: it shares no code and no constants with the driver it judges.
 *
 * **Clocks.** With SMMU_MODEL_VIRTUAL all calls come from one thread and the seed repeats a run exactly; either
 * the model keeps the time itself (bus relax goes on to its next event), or `now_ns` does, and its owner calls
 * smmu_model_next_event() and smmu_model_advance(). With SMMU_MODEL_REAL each instance has a thread between
 * smmu_model_start() and smmu_model_stop(), and calls may come from any thread.
 *
 * **Threads.** One mutex per instance protects its registers, caches and devices. Callbacks marked "locked" run
 * inside it and must not call the model.
 */
#ifndef SMMU_MODEL_H
#define SMMU_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "model_config.h"

struct smmu_model;
struct smmu_model_device;

enum smmu_model_clock { SMMU_MODEL_VIRTUAL, SMMU_MODEL_REAL };

#define SMMU_MODEL_MAX_INSTANCES 64

/** Where something was found: the level that supplied it. In order: the worst one is reported. */
enum smmu_model_held {
	SMMU_HELD_MEMORY, /**< walked now: memory says so */
	SMMU_HELD_WALK,   /**< a table pointer in the walk cache */
	SMMU_HELD_TLB,    /**< a translation in the TLB */
	SMMU_HELD_CONFIG, /**< a cached STE or CD */
	SMMU_HELD_ATC,    /**< the device's own translation cache */
	SMMU_HELD_UNCLEANED, /**< memory as an instance sees it that is not coherent: nobody cleaned it */
};

/** "memory", "walk-cache", "tlb", "config-cache", "atc", "uncleaned memory" */
const char *smmu_model_held_name(enum smmu_model_held held);

/** What the entry of a TLB or ATC is tagged with; for the judge and for messages. */
struct smmu_model_tag {
	enum smmu_model_held where; /**< WALK, TLB or ATC */
	uint8_t stage;              /**< 1, 2, or 3 for both combined */
	bool el2, global;
	uint16_t asid, vmid;   /**< of a TLB or walk-cache entry */
	uint32_t stream, ssid; /**< of an ATC entry; of the access that filled a TLB entry */
	bool ssid_valid;
};

/** What the SMMU itself uses memory for. */
enum smmu_model_use {
	SMMU_USE_COMMAND,
	SMMU_USE_EVENT,
	SMMU_USE_PRI,
	SMMU_USE_MSI,
	SMMU_USE_L1STD,
	SMMU_USE_STE,
	SMMU_USE_L1CD,
	SMMU_USE_CD,
	SMMU_USE_TABLE,
	SMMU_USE_TABLE_S2,
	SMMU_USE_TABLE_UPDATE,
};

/** Interrupts, for smmu_model_hooks.irq. */
enum smmu_model_irq {
	SMMU_MODEL_IRQ_EVENTQ,
	SMMU_MODEL_IRQ_PRIQ,
	SMMU_MODEL_IRQ_CMD_SYNC,
	SMMU_MODEL_IRQ_GERROR,
};

enum smmu_dma_kind {
	SMMU_DMA_ORDINARY,     /**< through the ATC, if the device has ATS on */
	SMMU_DMA_UNTRANSLATED, /**< not through the ATC, ATS or not */
	SMMU_DMA_TRANSLATED, /**< marked as translated, iova is the output address: no ATC said so */
};

/** One access of a device. */
struct smmu_dma {
	unsigned instance;
	uint32_t stream;
	bool ssid_valid;
	uint32_t ssid;
	uint64_t iova;
	bool write;
	bool privileged;
	/** An instruction fetch. Of a write it means nothing (13.1.2), nor of a PCIe device's access without PASID (13.7). */
	bool fetch;
	/** What a device with ATS on sends: what its ATC says, or without asking it. */
	enum smmu_dma_kind kind;
	bool brief; /**< memory is walked beside it later, by smmu_model_account(), or never */
};

/** What became of it. */
struct smmu_dma_result {
	struct smmu_dma dma;
	bool unasked; /**< brief: held_by, differs, truth_ok and truth_pa say nothing yet */
	bool ok;      /**< it reached memory at pa */
	uint8_t event; /**< else why: the event's number in the architecture; 0: no event (abort, no answer) */
	/** Its record is of a kind that says who accessed, and says: privileged, a fetch. */
	bool recorded, record_pnu, record_ind;
	bool raz_wi; /**< not ok, but the device saw success: it read zero, or its write was ignored (5.4, CD.A) */
	bool stalled; /**< it waits for CMD_RESUME: smmu_model_stall() tells what became of it */
	bool retried; /**< to the access hook: one that had stalled, tried again */
	uint16_t stag;
	uint64_t pa;
	enum smmu_model_held
		held_by; /**< the level to blame, if memory now says something else; else MEMORY */
	bool differs;    /**< the tables in memory, walked at the same moment, say something else */
	bool truth_ok;   /**< that walk reached memory … */
	uint64_t truth_pa; /**< … here */
	/** @name Which levels answered, stale or not */
	/**@{*/
	bool atc_hit, tlb_hit, walk_hit, ste_hit, cd_hit;
	/**@}*/
	uint64_t walk_table; /**< of a walk-cache hit: the bus address of the table it led to */
	struct smmu_model_tag tag;       /**< of the entry that answered, if one did */
	uint64_t entry_base, entry_size; /**< the input addresses that the entry covers */
	uint64_t entry_born_ns;          /**< when it was filled */
	bool refilled; /**< ATC: filled again out of the TLB just after an ATC_INV took it */
};

/** Callbacks; each may be NULL. @p ctx is smmu_model_hooks.ctx. */
struct smmu_model_hooks {
	void *ctx;
	/** An interrupt, if IRQ_CTRL enables it. Called without locks, in the thread that made the event. */
	void (*irq)(void *ctx, unsigned instance, enum smmu_model_irq irq);
	/** Locked: judge an access before any CMD_SYNC of its instance can complete. */
	void (*access)(void *ctx, const struct smmu_dma_result *result);
	/** Locked: the walker loads a descriptor at @p bus; not called for the judge's own walk. */
	void (*table_load)(void *ctx, unsigned instance, uint64_t bus);
	/**
	 * Locked: a command is about to drop the entry that covers @p size input addresses from @p base. Return true
	 * if it is still needed (counted in `over`).
	 */
	bool (*still_mapped)(void *ctx, unsigned instance, const struct smmu_model_tag *tag,
			     uint64_t base, uint64_t size);
	/**
	 * Locked: the instance was at a command from @p from_ns until now, @p to_ns; a CMD_SYNC is complete, an ATC_INV will be
	 * answered, or given up, at @p until_ns (another command: @p to_ns).
	 */
	void (*command)(void *ctx, unsigned instance, const uint64_t cmd[2], uint64_t from_ns,
			uint64_t to_ns, uint64_t until_ns);
	/** Locked: CMD_SYNC completed at @p now_ns. */
	void (*synced)(void *ctx, unsigned instance, uint64_t now_ns);
	/**
	 * Locked: are the @p len bytes at @p bus, which the SMMU itself is about to read or write, still allocated? False is
	 * a misuse of the driver. Not asked for the judge's own walk and for probes.
	 */
	bool (*live)(void *ctx, uint64_t bus, size_t len);
	/** Locked: an MSI to an address that is not memory. False: nothing is there, it is aborted. */
	bool (*msi)(void *ctx, unsigned instance, uint64_t bus, uint32_t data);
	/** Locked: a record is on its way to the event queue, which may lose it; @p dma made it. */
	void (*event)(void *ctx, unsigned instance, const uint64_t record[4],
		      const struct smmu_dma *dma);
	/** Virtual clock kept by somebody else: the time now. NULL: the model keeps it. */
	uint64_t (*now_ns)(void *ctx);
};

/** Faults that an SMMU or a device may show at run time: the driver must survive each. */
enum smmu_model_fault {
	SMMU_FAULT_ATC_TIMEOUT, /**< an ATC stops answering at an ATC_INV, until the device is reset */
	SMMU_FAULT_CMD_ABORT,      /**< fetching a command aborts once */
	SMMU_FAULT_SLOW_SYNC,      /**< a CMD_SYNC takes 100 to 1000 times as long */
	SMMU_FAULT_EVENT_OVERFLOW, /**< the event queue is filled up */
	SMMU_FAULT_PREFETCH_STORM, /**< a command is followed by many speculative translations */
	SMMU_FAULT_NO_ACK,         /**< a write of CR0, IRQ_CTRL or GBPA is never acknowledged */
	SMMU_FAULT_PAUSE, /**< at a command the instance stops for pause_ns; accesses of devices go on */
	SMMU_FAULT_QUEUE_DEAD, /**< at a command the queue stops without a word, until CMDQEN goes off and on */
	SMMU_FAULT_MSI_ABORT, /**< the MSI of a CMD_SYNC is aborted; the CMD_SYNC is consumed (4.7.3) */
	SMMU_FAULT_EVENT_ABORT, /**< writing an event record is aborted (7.2.2) */
	SMMU_FAULT_ATC_SLOW, /**< an ATC_INV takes up to atc_slow_ns longer; it may be given up before */
	SMMU_FAULT_COUNT
};

struct smmu_model_counters {
	/** Commands consumed, by class */
	uint64_t tlbi, atc_inv, cfgi, sync, other;
	uint64_t cerrors; /**< command errors raised */
	uint64_t dropped_tlb, dropped_walk, dropped_cfg,
		dropped_atc; /**< entries dropped by commands */
	uint64_t over;       /**< of those of TLB and ATC: still needed */
	uint64_t tlb_entries, walk_entries, cfg_entries; /**< held now */
	uint64_t tlb_hits, tlb_misses, atc_hits, atc_misses;
	uint64_t dmas, faults, events, events_lost;
	uint64_t prefetches, evictions;
	uint64_t last_sync_ns; /**< when the last CMD_SYNC completed */
	uint64_t misuses;
	uint64_t ats_ur,
		ats_ca; /**< translation requests answered with Unsupported Request, Completer Abort */
	uint64_t dead_accesses; /**< of the misuses: accesses to memory that is not allocated */
	uint64_t msis;          /**< sent, aborted ones included */
	uint64_t accessed,
		dirtied; /**< descriptors whose Access flag was set, that were marked dirty */
	uint64_t stalls; /**< accesses that stalled, each time */
	uint64_t stray_answers; /**< CMD_RESUME or CMD_PRI_RESP to what does not wait */
	uint64_t injected[SMMU_FAULT_COUNT];
};

/**
 * A machine with @p count instances (1 to SMMU_MODEL_MAX_INSTANCES) over one memory. @p configs has @p count
 * elements and is copied, as are @p hooks (may be NULL); the memory behind @p ram outlives the model.
 * NULL: out of memory, or a config out of its range.
 */
struct smmu_model *smmu_model_create(enum smmu_model_clock clock,
				     const struct smmu_model_config *configs, unsigned count,
				     const struct smmu_ram *ram,
				     const struct smmu_model_hooks *hooks, uint64_t seed);
/** After smmu_model_stop(), and with no call under way. NULL is allowed. */
void smmu_model_destroy(struct smmu_model *model);

/** Real clock: start one thread per instance; 0, or -1 when that failed (none runs then). */
int smmu_model_start(struct smmu_model *model);
void smmu_model_stop(struct smmu_model *model);

/** The registers of instance @p i; valid as long as the model. */
const struct smmu_bus *smmu_model_bus(struct smmu_model *model, unsigned i);

/** Registers of instance @p i back to their reset values; caches keep what they have, as real ones may. */
void smmu_model_reset(struct smmu_model *model, unsigned i);

/**
 * @p ram is the memory behind the processors' caches (of the same addresses and size as the machine's): what instance @p i
 * reads and writes from now on if it is not coherent, or where CR1, an STE or a CD has attributes that do not snoop.
 */
void smmu_model_set_ram(struct smmu_model *model, unsigned i, const struct smmu_ram *ram);
/** From now on writes of CR0, IRQ_CTRL and GBPA of instance @p i are acknowledged, or never (@p on false). */
void smmu_model_acknowledge(struct smmu_model *model, unsigned i, bool on);
/**
 * Instance @p i does nothing for @p ns from now: no command, no completion, no acknowledgement. Devices' accesses are
 * translated as before.
 */
void smmu_model_pause(struct smmu_model *model, unsigned i, uint64_t ns);
/**
 * The command queue of instance @p i dies, without an error, when it would take its @p nth command from now (1: the next
 * one; a CMD_SYNC dies with it if it is waiting). @p for_good: else it takes commands again once CMDQEN was off.
 * @p nth 0: it lives again.
 */
void smmu_model_kill_queue(struct smmu_model *model, unsigned i, uint64_t nth, bool for_good);
/**
 * Instance @p i enters service failure mode (12.3): GERROR.SFM_ERR, no traffic, no commands, no records, until
 * smmu_model_reset(). No acknowledgement ends it.
 */
void smmu_model_fail_service(struct smmu_model *model, unsigned i);
/** Registers of instance @p i read as ones, writes go nowhere, nothing is translated; @p on false: it is back. */
void smmu_model_vanish(struct smmu_model *model, unsigned i, bool on);

/**
 * What instance @p i is and how it chooses, in one line of up to 600 characters, for a run that failed. Returns @p text.
 */
char *smmu_model_describe(struct smmu_model *model, unsigned i, char *text, size_t size);

/** @name Virtual time; @p model is a struct smmu_model (an actor of a simulator) */
/**@{*/
uint64_t smmu_model_now(struct smmu_model *model);
/** When something happens next by itself; UINT64_MAX: never. */
uint64_t smmu_model_next_event(void *model);
/** Where that can always be read, with SMMU_MODEL_VIRTUAL. */
const uint64_t *smmu_model_next_at(const struct smmu_model *model);
/** Let everything happen up to and at @p now_ns, which never goes backward. */
void smmu_model_advance(void *model, uint64_t now_ns);
/** Advance until nothing is left to happen, or @p limit_ns of virtual time went by; false: that long. */
bool smmu_model_settle(struct smmu_model *model, uint64_t limit_ns);
/**@}*/

/** @name Devices. Adding is not safe against concurrent use of the same instance's bus in real time */
/**@{*/
/**
 * The device that sends as @p stream through @p instance; made on the first call. @p ats: it has an ATC (off at
 * first). NULL: out of memory or range. A stream without a device may do DMA too; it has no ATC.
 */
struct smmu_model_device *smmu_model_device(struct smmu_model *model, unsigned instance,
					    uint32_t stream, bool ats);
/** The ATS enable bit of the device's configuration space. Turning it off empties the ATC. */
void smmu_model_ats_enable(struct smmu_model_device *dev, bool on);
bool smmu_model_ats_enabled(struct smmu_model_device *dev);
/**
 * The device's smallest translation unit is 2^@p log2 bytes (12 at first): an ATC_INV of less is answered with UR and does
 * nothing (4.5.1).
 */
void smmu_model_device_stu(struct smmu_model_device *dev, unsigned log2);
/** The ATC stops answering invalidations (and keeps what it holds), or answers again. */
void smmu_model_atc_mute(struct smmu_model_device *dev, bool mute);
/** Its ATC takes @p ns longer to answer than smmu_model_config.atc_ns, before speed and jitter. */
void smmu_model_device_latency(struct smmu_model_device *dev, uint32_t ns);
/** The device is gone: no DMA, no answer. */
void smmu_model_device_kill(struct smmu_model_device *dev);
/** Function-level reset: answers again, ATS off, ATC empty. */
void smmu_model_device_reset(struct smmu_model_device *dev);
bool smmu_model_atc_muted(struct smmu_model_device *dev);
/** Is the ATC of a stream muted, or was an ATC_INV given up by SMMU_FAULT_ATC_SLOW, since the last reset? No device: false. */
bool smmu_model_silent(struct smmu_model *model, unsigned instance, uint32_t stream);
/** Entries in its ATC. */
size_t smmu_model_atc_count(struct smmu_model_device *dev);
/**
 * Ask for a page (PRI): an entry in the PRI queue, last of its group. False: the queue is off, full or not there, and
 * smmu_model_page_response() tells what the SMMU answered in its place (8.1, 8.2).
 */
bool smmu_model_page_request(struct smmu_model_device *dev, bool ssid_valid, uint32_t ssid,
			     uint64_t iova, bool write, uint16_t group);
/** The same, and more of its group follow. False: as above, but that the SMMU answers nothing (8.1). */
bool smmu_model_page_request_part(struct smmu_model_device *dev, bool ssid_valid, uint32_t ssid,
				  uint64_t iova, bool write, uint16_t group);
/** Its PRI is switched off and on: it has asked for nothing. */
void smmu_model_page_reset(struct smmu_model_device *dev);
/** Accesses that have stalled and page request groups that nobody has answered yet. */
unsigned smmu_model_unanswered(struct smmu_model *model, unsigned instance);
/** The response to group @p group as CMD_PRI_RESP gave it (0–3), or -1 if none came since the request. */
int smmu_model_page_response(struct smmu_model_device *dev, uint16_t group);
/**@}*/

/** @name DMA and questions */
/**@{*/
/** One access, atomic at the moment of the call; events and cache fills are as in hardware. */
struct smmu_dma_result smmu_model_dma(struct smmu_model *model, const struct smmu_dma *dma);
/** Walk memory beside the brief access @p res, before anything else is done to its instance. */
void smmu_model_account(struct smmu_model *model, struct smmu_dma_result *res);
/**
 * What became of an access that stalled. False: it waits. True: *@p result; an access that was ended is not ok. One that stalled
 * again has another tag in there. The model keeps the last 64 of an instance; of more the oldest count as ended.
 */
bool smmu_model_stall(struct smmu_model *model, unsigned instance, uint16_t stag,
		      struct smmu_dma_result *result);
/** What smmu_model_dma() would answer now, without any effect. The access hook is not called. */
struct smmu_dma_result smmu_model_probe(struct smmu_model *model, const struct smmu_dma *dma);
/**
 * Would the page tables in memory, through STE and CD in memory, take @p dma somewhere? No caches and no effects.
 */
bool smmu_model_truth(struct smmu_model *model, const struct smmu_dma *dma, uint64_t *pa);
/** One line that says what answered an access: level, tag, age. Returns @p text. */
char *smmu_model_explain(const struct smmu_dma_result *result, char *text, size_t size);
/** The invalidation whose lack explains a violation: "tlbi", "tlbi (non-leaf)", "cfgi", "atc_inv", "none". */
const char *smmu_model_missing(const struct smmu_dma_result *result);
/**
 * Instance @p i does what it may do at any moment, with the chances of its config: lose entries, fetch reachable
 * configuration, translate ahead. For a harness that knows good moments, such as between two stores of a processor.
 */
void smmu_model_speculate(struct smmu_model *model, unsigned i);
/** Speculate: translate @p dma as a prefetch would, caching what it finds; no event, no access. */
void smmu_model_prefetch(struct smmu_model *model, const struct smmu_dma *dma);
/**@}*/

/** @name Faults, counters, misuse */
/**@{*/
/** Every @p every-th opportunity (seeded around it), on all instances; 0 turns it off. */
void smmu_model_inject(struct smmu_model *model, enum smmu_model_fault fault, unsigned every);
void smmu_model_counters(struct smmu_model *model, unsigned instance,
			 struct smmu_model_counters *out);
/** How often the driver broke the register or queue protocol. */
uint64_t smmu_model_misuse_count(struct smmu_model *model, unsigned instance);
/** The @p n-th such misuse as text (the first 16 are kept), or NULL. Valid as long as the model. */
const char *smmu_model_misuse(struct smmu_model *model, unsigned instance, unsigned n);
/**
 * What freed memory should be filled with, a line of 64 bytes: words that are legal wherever an SMMU that still has a
 * pointer there may take them for something, and that lead where no access belongs. Read as an STE they bypass
 * translation; as a CD they lead to the table at @p canary; most of them are table descriptors that lead there, too.
 * @p canary: 4096 bytes, aligned, that smmu_model_canary() has filled.
 */
void smmu_model_poison(uint64_t line[8], uint64_t canary);
/** Fill @p page, which is at the bus address @p canary, with descriptors that lead to itself at every level. */
void smmu_model_canary(uint64_t page[512], uint64_t canary);
/** The name of a command's opcode, such as "CMD_TLBI_NH_VA"; NULL: unknown. */
const char *smmu_model_command_name(unsigned opcode);
/**@}*/

#endif
