/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file text.h
 * A text builder without a C library: messages are put together in a buffer of the caller.
 *
 * The buffer always ends with a NUL. What does not fit is dropped, and nothing is appended after
 * the first character that did not fit. A builder belongs to one thread; any context.
 */
#ifndef SMMUV3_TEXT_H
#define SMMUV3_TEXT_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

struct smmu_text {
	char *buf;
	size_t cap; /**< bytes at buf, with the NUL */
	size_t len; /**< characters in buf, without the NUL; == cap - 1 when full */
};

/** Begin an empty text in @p cap (at least 1) bytes at @p buf. */
void smmu_text_init(struct smmu_text *t, char *buf, size_t cap);

/** Append @p c. */
void smmu_text_char(struct smmu_text *t, char c);

/** Append the NUL-terminated @p s; NULL appends nothing. */
void smmu_text_str(struct smmu_text *t, const char *s);

/** Append @p value in decimal. */
void smmu_text_dec(struct smmu_text *t, uint64_t value);

/** Append "0x" and @p value in lower-case hexadecimal with at least @p digits (1–16) digits. */
void smmu_text_hex(struct smmu_text *t, uint64_t value, unsigned digits);

/** True when nothing more fits: what is appended from here on is dropped. */
static inline bool smmu_text_full(const struct smmu_text *t)
{
	return t->len + 1 >= t->cap;
}

SMMU_END_DECLS

#endif
