/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/remark.h
 * What is unusual about a structure: values that IHI 0070 calls ILLEGAL (for given ID registers),
 * bits of no field, values without effect, and for an event or error its likely causes. Each remark
 * names the section that says so.
 *
 * Part of src/print. Any input is looked at; nothing is allocated; the strings are constants. Any
 * context.
 */
#ifndef SMMUV3_HW_REMARK_H
#define SMMUV3_HW_REMARK_H

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/ste.h>

/**
 * The SMMU that a structure is for, as far as its ID registers are known: what is not has the value
 * of SMMU_IDS_ANY, which allows everything.
 */
struct smmu_ids {
	uint32_t idr0, idr1, idr3, idr5;
	bool has_idr0; /**< it is the SMMU's */
};

/** Both stages, all tables, granules and sizes, every feature; stalls possible. */
#define SMMU_IDS_ANY \
	((struct smmu_ids){SMMU_IDS_ANY_IDR0, SMMU_IDS_ANY_IDR1, 0xffffffffu, 0x0cf7u, false})
#define SMMU_IDS_ANY_IDR0 0x001ff7dfu /**< STALL_MODEL, TERM_MODEL, TTENDIAN and NS1ATS are 0 */
#define SMMU_IDS_ANY_IDR1 0x0c000520u /**< SIDSIZE 32, SSIDSIZE 20, overrides of attributes */

enum smmu_remark_kind {
	SMMU_REMARK_ILLEGAL, /**< the SMMU refuses it */
	/** Bits of no field, or a reserved value: it may refuse it, or ignore it. */
	SMMU_REMARK_RESERVED,
	SMMU_REMARK_NOTE,  /**< without effect, or with one that may surprise */
	SMMU_REMARK_CAUSE, /**< what may have led to it, and what to look at */
};

struct smmu_remark {
	enum smmu_remark_kind kind;
	const char *text;
	const char *section; /**< of issue G.b, such as "5.2 STRW" */
};

typedef void smmu_remark_fn(void *ctx, const struct smmu_remark *remark);

/** "illegal", "reserved", "note", "cause". */
const char *smmu_remark_kind_name(enum smmu_remark_kind kind);

/** @name Remarks on a structure
 * Each calls @p fn for what is to be said, the gravest first as a rule. @p ids NULL: the SMMU is
 * not known; then only what holds for every SMMU is said. Structures are taken to be of the
 * Non-secure interface.
 * @{ */
void smmu_remarks_cmd(const struct smmu_cmd *cmd, const struct smmu_ids *ids, smmu_remark_fn *fn,
		      void *ctx);
void smmu_remarks_ste(const struct smmu_ste *ste, const struct smmu_ids *ids, smmu_remark_fn *fn,
		      void *ctx);
void smmu_remarks_cd(const struct smmu_cd *cd, const struct smmu_ids *ids, smmu_remark_fn *fn,
		     void *ctx);
void smmu_remarks_l1std(uint64_t desc, const struct smmu_ids *ids, smmu_remark_fn *fn, void *ctx);
void smmu_remarks_l1cd(uint64_t desc, const struct smmu_ids *ids, smmu_remark_fn *fn, void *ctx);
void smmu_remarks_event(const struct smmu_event_record *rec, smmu_remark_fn *fn, void *ctx);
/** What may lead to events of @p type; nothing for a type that is not known. */
void smmu_remarks_event_type(unsigned type, smmu_remark_fn *fn, void *ctx);
void smmu_remarks_reg(uint32_t offset, uint64_t value, smmu_remark_fn *fn, void *ctx);
/** @} */

#endif
