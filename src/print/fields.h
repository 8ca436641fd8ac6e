/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file fields.h
 * Tables of fields, from which everything that prints or checks a structure is driven. Internal to src/print.
 */
#ifndef SMMUV3_SRC_PRINT_FIELDS_H
#define SMMUV3_SRC_PRINT_FIELDS_H

#include <smmuv3/hw/print.h>

enum smmu_field_kind {
	SMMU_FIELD_NUM,        /**< a number, shown if not 0 */
	SMMU_FIELD_ID,         /**< a number that means something even when 0: always shown */
	SMMU_FIELD_ADDR,       /**< an address, always shown, its bits left in place */
	SMMU_FIELD_HEX,        /**< a pattern, shown in hexadecimal if not 0 */
	SMMU_FIELD_ADDR_SET,   /**< an address, shown if not 0 */
	SMMU_FIELD_STREAM,     /**< a stream or substream, in hexadecimal, always shown */
	SMMU_FIELD_STREAM_SET, /**< the same, shown if not 0 */
};

struct smmu_field {
	const char *name;
	uint64_t mask;
	const char *const
		*values; /**< values in words; NULL in the list: reserved. NULL: a plain number */
	uint8_t count;   /**< of values; what is beyond is reserved */
	uint8_t word;
	uint8_t kind;
};

#define SMMU_FIELD(word_, mask_, name_, kind_)                         \
	{                                                              \
		(name_), (mask_), NULL, 0, (word_), SMMU_FIELD_##kind_ \
	}
#define SMMU_FIELD_ENUM(word_, mask_, name_, kind_, list_)                                     \
	{                                                                                      \
		(name_), (mask_), (list_), SMMU_ARRAY_SIZE(list_), (word_), SMMU_FIELD_##kind_ \
	}

/** What smmu_field_view.text is for a value that the specification reserves. */
extern const char smmu_field_reserved[];

/**
 * Call @p fn for each field of the table under which @p used has a bit, in the table's order.
 * @p used: @p words words, or NULL when all fields are used.
 */
void smmu_fields_walk(const struct smmu_field *table, size_t n, const uint64_t *w,
		      const uint64_t *used, smmu_field_fn *fn, void *ctx);

/** Call @p fn for each of the @p words words that has bits set outside @p defined. */
void smmu_fields_rest(const uint64_t *w, const uint64_t *defined, unsigned words, smmu_field_fn *fn,
		      void *ctx);

/** Add the masks of the table's fields to @p defined. */
void smmu_fields_defined(const struct smmu_field *table, size_t n, uint64_t *defined);

/** True if a field of the table has a value that its list of values reserves. */
bool smmu_fields_any_reserved(const struct smmu_field *table, size_t n, const uint64_t *w);

/** Hand one field to @p fn. */
void smmu_field_emit(smmu_field_fn *fn, void *ctx, const char *name, uint64_t value,
		     const char *text);
void smmu_field_emit_hex(smmu_field_fn *fn, void *ctx, const char *name, uint64_t value);

/** A smmu_field_fn that appends " NAME=value" to the struct smmu_text @p ctx. */
void smmu_field_print(void *ctx, const struct smmu_field_view *field);

/** A smmu_field_fn that does nothing, for who wants the structure's name alone. */
void smmu_field_drop(void *ctx, const struct smmu_field_view *field);

/* Values that several structures share. */
extern const char *const smmu_names_sh[4];
extern const char *const smmu_names_walk[4];
extern const char *const smmu_names_tg0[4];
extern const char *const smmu_names_size[8];

#endif
