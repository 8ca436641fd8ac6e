/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/print.h
 * Structures in words, for logs and for `smmuv3 decode`.
 *
 * Each function appends one line without a newline: the name of the structure, then NAME=value for
 * each field that is used and not zero, with enumerated values spelled out. Bits that are set where
 * the specification has no field follow as "reserved!=W1:0x…". Any input prints; what does not fit
 * the text is dropped. Any context.
 *
 * smmu_fields_* give the same contents one field at a time, for output in another form.
 *
 * All of it lies in src/print, which an embedder may leave out: with SMMU_NO_PRINT defined, the
 * driver's one message that names a command shows its two words in hexadecimal instead, for `smmuv3
 * decode cmd`.
 */
#ifndef SMMUV3_HW_PRINT_H
#define SMMUV3_HW_PRINT_H

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>
#include <smmuv3/hw/ste.h>
#include <smmuv3/text.h>

SMMU_BEGIN_DECLS

#ifdef SMMU_NO_PRINT
/** Append the two words of @p cmd in hexadecimal. */
static inline void smmu_print_cmd(struct smmu_text *t, const struct smmu_cmd *cmd)
{
	smmu_text_hex(t, cmd->w[0], 16);
	smmu_text_char(t, ' ');
	smmu_text_hex(t, cmd->w[1], 16);
}
#else
/** @name In one line
 * Each appends to @p t, as said above.
 * @{ */
void smmu_print_cmd(struct smmu_text *t, const struct smmu_cmd *cmd);
void smmu_print_ste(struct smmu_text *t, const struct smmu_ste *ste);
void smmu_print_cd(struct smmu_text *t, const struct smmu_cd *cd);
void smmu_print_event(struct smmu_text *t, const struct smmu_event_record *rec);
void smmu_print_pri(struct smmu_text *t, const struct smmu_pri_record *rec);
/** Level-1 descriptors of a stream table and of a CD table. */
void smmu_print_l1std(struct smmu_text *t, uint64_t desc);
void smmu_print_l1cd(struct smmu_text *t, uint64_t desc);
/** @p offset: of the register from the base of page 0. */
void smmu_print_reg(struct smmu_text *t, uint32_t offset, uint64_t value);
/** @} */

/** One field of a structure. */
struct smmu_field_view {
	const char *name; /**< "S2VMID"; "reserved" for bits of a word outside all fields */
	/** Shifted down; addresses, and the bits of "reserved", stay where they are. */
	uint64_t value;
	const char *text; /**< the value in words, or NULL */
	bool address;     /**< value is an address or a set of bits: best shown in hexadecimal */
	uint8_t word;     /**< index of the 64-bit word */
};

/**
 * Called once for each field that would be printed. The view is valid during the call only; the
 * strings in it are constants.
 */
typedef void smmu_field_fn(void *ctx, const struct smmu_field_view *field);

/** @name Field by field
 * Each calls @p fn for the fields and returns the name of the structure, a constant ("CMD_SYNC",
 * "STE", "IDR0"). Any context in which @p fn may be called.
 * @{ */
const char *smmu_fields_cmd(const struct smmu_cmd *cmd, smmu_field_fn *fn, void *ctx);
const char *smmu_fields_ste(const struct smmu_ste *ste, smmu_field_fn *fn, void *ctx);
const char *smmu_fields_cd(const struct smmu_cd *cd, smmu_field_fn *fn, void *ctx);
const char *smmu_fields_event(const struct smmu_event_record *rec, smmu_field_fn *fn, void *ctx);
const char *smmu_fields_pri(const struct smmu_pri_record *rec, smmu_field_fn *fn, void *ctx);
const char *smmu_fields_l1std(uint64_t desc, smmu_field_fn *fn, void *ctx);
const char *smmu_fields_l1cd(uint64_t desc, smmu_field_fn *fn, void *ctx);
const char *smmu_fields_reg(uint32_t offset, uint64_t value, smmu_field_fn *fn, void *ctx);
/** @} */

/**
 * The name of the register at @p offset ("IDR0", "EVENTQ_PROD"), or NULL. Either page's EVENTQ and
 * PRIQ indexes count.
 */
const char *smmu_reg_name(uint32_t offset);

/**
 * Find a register by its name.
 *
 * @param name    letter case ignored, with or without "SMMU_" or "ARM_SMMU_", "EVTQ" for "EVENTQ";
 *                those of the Secure interface begin with "S_", those of the Realm pages with "R_"
 * @param offset  from the base of page 0. Realm pages lie where the part likes: 0x10000000 stands
 *                before the offset within them
 *
 * @return 0; -SMMU_ENOENT: there is none of that name, and *@p offset is unchanged
 *
 * Any context. IHI 0070 G.b, 6.2.
 */
int smmu_reg_find(const char *name, uint32_t *offset);

/** Width of the register at @p offset: 64 or 32 bits; 32 for an offset that is no register. */
unsigned smmu_reg_bits(uint32_t offset);

#endif /* SMMU_NO_PRINT */

SMMU_END_DECLS

#endif
