/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file rig.h
 * A machine for the driver's tests: SMMUs of the model behind a bus that notes each command that is published, devices
 * that note when their ATS is turned on and off, and a watch on each store to an STE or CD. All in one log, in order.
 */
#ifndef SMMU_TEST_DRIVER_RIG_H
#define SMMU_TEST_DRIVER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/fault.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/instance.h>

#include "mmio_check.h"
#include "model.h"
#include "sim_port.h"
#include "sim.h"

#define CHECK(cond)                                                                       \
	do {                                                                              \
		if (!(cond)) {                                                            \
			fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond); \
			abort();                                                          \
		}                                                                         \
	} while (0)

#define RIG_SMMUS 20
#define RIG_LOG 65536
/** Streams of one device. */
#define RIG_STREAMS 300

/** What a line of the log is, beside a command: pseudo opcodes. */
enum { RIG_ATS_ON = 0xf0, RIG_ATS_OFF = 0xf1, RIG_STE = 0xf2 };

struct rig_line {
	unsigned smmu;
	struct smmu_cmd cmd; /**< or a pseudo opcode, with the stream where CFGI_STE has it */
};

struct rig;

struct rig_smmu {
	struct rig *rig;
	unsigned i;
	struct smmu_bus bus;
	const struct smmu_bus *model;
	struct smmu_instance inst;
	uint64_t ring;
	unsigned log2;
	uint32_t cr0, prod;
	bool gone;          /**< reads as ones, writes get lost */
	unsigned die_after; /**< gone from the n-th register write on; 0: never */
	/** Where a register is on a part that has it elsewhere; NULL: where the architecture says. */
	uint32_t (*move)(uint32_t offset);
	/** Changes what a register reads as; NULL: nothing. */
	uint32_t (*patch_read)(struct rig_smmu *s, uint32_t offset, uint32_t value);
	uint64_t (*patch_read64)(struct rig_smmu *s, uint32_t offset, uint64_t value);
	void (*patch_write)(struct rig_smmu *s, uint32_t offset,
			    uint64_t value); /**< sees each write */
	uint32_t deaf;                       /**< writes to this register are lost; 0: none */
	unsigned deaf_after;                 /**< but so many of them arrive first */
	unsigned
		corrupt; /**< the next command with this opcode is made illegal in memory, so often: */
	unsigned corruptions;
	unsigned
		spoil; /**< n: from the n-th command on that is no CMD_SYNC, all such are made illegal; 0: none */
	unsigned spoiled;
	struct mmio_check check; /**< of the driver's register accesses; problems fail rig_close */
	bool frozen;             /**< PROD does not reach the model: nothing is consumed */
};

struct rig {
	uint64_t seed;
	struct sim *sim;
	struct smmu_ram ram;
	struct smmu_ram shadow; /**< memory as SMMUs see it that are not coherent */
	struct smmu_heap heap;
	struct smmu_posix posix;
	struct smmu_port port;
	unsigned fail_from, fail_count; /**< DMA allocations: this one and so many after it fail */
	unsigned
		high_alloc; /**< the n-th DMA allocation from now on has a bus address of 51 bits … */
	uint64_t high_bus; /**< … or this one, if not 0 */
	void (*on_access)(struct rig_smmu *s, bool write,
			  uint32_t offset); /**< before each; NULL: nothing */
	struct smmu_port_ops ops;           /**< of the port; dma_free tells the checkers */
	struct smmu_model *model;
	unsigned count;
	struct rig_smmu smmu[RIG_SMMUS];
	struct rig_line log[RIG_LOG];
	unsigned lines;
	char text[16384];
};

/** No chance: nothing is evicted, prefetched, split or early; times are exact. 2^9 streams, two-level table. */
struct smmu_model_config rig_config(void);
/** @p count alike SMMUs, not probed. */
void rig_open(struct rig *rig, const struct smmu_model_config *config, unsigned count);
/** No SMMU sees what was not cleaned, nor are their writes seen before an invalidate. After rig_open. */
void rig_not_coherent(struct rig *rig);
/** Probe and enable instance @p i (index @p i) with @p quirks. */
void rig_up(struct rig *rig, unsigned i, uint32_t quirks);
/** Open and bring all up. */
void rig_open_up(struct rig *rig, unsigned count);
/** The end: nothing is allocated any more and no instance noted a misuse. Instances are removed before. */
void rig_close(struct rig *rig);

/**
 * @p count SMMUs, up, and two domains of stage 1: pages 1 to 8 of @p domain lead to RIG_PA(1) to RIG_PA(8), and page 1 of
 * @p other to RIG_PA(100).
 */
void rig_open_domains(struct rig *rig, const struct smmu_model_config *config, unsigned count,
		      struct smmu_domain *domain, struct smmu_domain *other);
/** Finish both, and close. */
void rig_close_domains(struct rig *rig, struct smmu_domain *domain, struct smmu_domain *other);
/** The end, whatever is left and was noted. */
void rig_abandon(struct rig *rig);
/** Let instance @p i see PROD again after `frozen`. */
void rig_thaw(struct rig *rig, unsigned i);
/** Configuration of instance @p i. */
struct smmu_instance_config rig_instance_config(struct rig *rig, unsigned i, uint32_t quirks);

/** Forget the log. */
void rig_log_reset(struct rig *rig);
/**
 * The log since: "0:CFGI_STE(5) 0:SYNC …", with streams (and +ssid) of CFGI and ATC_INV, tags of TLBI, and addresses. With one
 * instance, no "0:".
 */
const char *rig_log(struct rig *rig);
/** How many lines have this opcode; CMD_SYNC as well. */
unsigned rig_log_count(const struct rig *rig, unsigned opcode);
/** STE stores are noted in the log, too. */
extern bool rig_note_stes;

/** A device: ours and the model's. */
struct rig_device {
	struct rig *rig;
	unsigned smmu;
	struct smmu_device dev;
	struct smmu_model_device *hw[RIG_STREAMS];
	uint32_t streams[RIG_STREAMS];
	unsigned nr;
	unsigned stu;       /**< what set_ats has to be told */
	int ats_error;      /**< set_ats fails with it */
	bool ats, ats_told; /**< told: set_ats was called */
};

int rig_device_try(struct rig *rig, struct rig_device *d, unsigned smmu, uint32_t stream,
		   unsigned nr, bool ats, unsigned ssid_bits);
/** A device with streams @p stream … @p stream+nr-1. */
void rig_device(struct rig *rig, struct rig_device *d, unsigned smmu, uint32_t stream, unsigned nr,
		bool ats, unsigned ssid_bits);

/** A device with one stream and ATS, on an SMMU whose smallest granule is 2^@p stu bytes. */
void rig_device_stu(struct rig *rig, struct rig_device *d, unsigned smmu, uint32_t stream,
		    unsigned stu);

void rig_domain(struct rig *rig, struct smmu_domain *d, enum smmu_domain_kind kind);
/** Where page @p n of a test lies. */
#define RIG_PA(n) (0x60000000ull + (n)*0x1000ull)
/** A domain with its address 0x1000 mapped to page @p n, for reading and writing. */
void rig_domain_with_page(struct rig *rig, struct smmu_domain *d, enum smmu_domain_kind kind,
			  unsigned n);

/** The next event of SMMU 0, which is of a stall that waits for its answer in @p faults. */
struct smmu_fault rig_next_stall(struct rig *rig, struct smmu_faults *faults);

/** @name Past the driver, of SMMU 0 alone @{ */
uint32_t rig_reg(const struct rig *rig, uint32_t offset);
void rig_set_reg(struct rig *rig, uint32_t offset, uint32_t value);
/** Time for whatever it has begun. */
void rig_settle(struct rig *rig);
/** A read of 0x1000 by a stream that may be nobody's: true if it reached memory. */
bool rig_access(struct rig *rig, uint32_t stream);
/** The instance is probed, without quirks. */
void rig_probe(struct rig *rig);
/** @} */

/** A DMA through stream @p k of the device, in a substream (-1: none): true if it reached memory, at *@p pa. */
bool rig_dma(struct rig_device *d, unsigned k, int32_t ssid, uint64_t iova, uint64_t *pa);
/** It gets through to @p pa, or not. */
#define rig_expect(d, iova, want)                           \
	do {                                                \
		uint64_t pa_ = 0;                           \
		assert_true(rig_dma(d, 0, -1, iova, &pa_)); \
		assert_int_equal(pa_, want);                \
	} while (0)
#define rig_refused(d, iova) assert_false(rig_dma(d, 0, -1, iova, NULL))

/** The array of @p domain as text: "0:asid3*2 0:ats5 1:vmid7 …", entries that are gone as "-". */
const char *rig_array(struct rig *rig, const struct smmu_domain *domain);
#define rig_expect_array(rig, d, text) assert_string_equal(rig_array(rig, d), text)

/** @name rig_order.c, for rig.c @{ */
/** A word is stored: what has to be visible before it is. */
void rig_check_order(const void *p);
/** A register is written: whoever writes one sees to it that what it is about is visible. */
void rig_doorbell(void);
/** @} */
/** @name rig_memory.c, for rig.c @{ */
void rig_memory_ops(struct rig *rig);
/** Lines of the ring at @p bus that a processor still has to write back go out now. */
void rig_evict(const struct rig *rig, uint64_t bus, size_t size);
/** For smmu_model_hooks.live. */
bool rig_live(void *ctx, uint64_t bus, size_t len);
/** @} */

/** The one that was opened last; NULL after its end. */
extern struct rig *rig_now;
/** Called by each smmu_store in src/driver; see store_hook.h. */
extern void (*rig_store_hook)(const void *p);
/** During the hook: the word after this one was stored with it, in one piece, and comes next. */
extern bool rig_pair;
/** The STE in memory of stream @p k. */
struct smmu_ste rig_ste(const struct rig_device *d, unsigned k);

#endif
