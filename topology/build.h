/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file build.h
 * What the readers of tables share: growing a topology piece by piece, and saying what was left out. Private to
 * topology/.
 *
 * Readers take bytes and call what is declared here; they neither allocate, format text nor read files themselves.
 * grow.c has all of the memory that a topology is made of, note.c all of the messages, input.c all of the files.
 *
 * The reader of an IORT (iort.c, iort_*.c) and what it rests on (build.c, claim.c, format.c, grow.c, note.c, sort.c) need no C library: an
 * embedder that has none compiles these files and provides topology_alloc and topology_release.
 */
#ifndef SMMU_TOPOLOGY_BUILD_H
#define SMMU_TOPOLOGY_BUILD_H

#include "topology.h"

#include <stdarg.h>

/* The names of C's inttypes.h that are used, where there is no such header. */
#if __STDC_HOSTED__
#include <inttypes.h>
#else
#define PRIu32 "u"
#define PRIx32 "x"
#if __SIZEOF_LONG__ == 8
#define PRIx64 "lx"
#else
#define PRIx64 "llx"
#endif
#endif

/** One reading. */
struct topology_build {
	struct smmu_topology *t;
	unsigned how; /**< SMMU_TOPOLOGY_STRICT, SMMU_TOPOLOGY_ALL */
	char *err;
	size_t errlen;
};

/** @name Memory: memory.c, or the embedder's own @{ */
/** Zeroed memory for @p n elements; NULL: none left, or the product overflows. */
void *topology_alloc(size_t n, size_t element);
/** Give it back; NULL is allowed. */
void topology_release(void *p);
/** @} */

/** @name Arrays and strings (grow.c) @{ */
/** A copy of a string, or NULL. */
char *topology_copy(const char *text);

/**
 * Room for one more element of an array of @p n, which doubles when its length is a power of two. NULL: no memory, and the
 * array is as it was.
 */
void *topology_grow(void *array, size_t n, size_t element);
/** @} */

/** @name Text (format.c) @{ */
/**
 * As vsnprintf, for %s, %.Ns, %.*s, %u, %x, %d and %% with a width, zero padding, l, ll and z. Returns the length that the whole
 * text has.
 */
size_t topology_vformat(char *to, size_t cap, const char *fmt, va_list ap);
size_t topology_format(char *to, size_t cap, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** @} */

/** Sort @p n elements in place (sort.c); equal ones in any order. */
void topology_sort(void *array, size_t n, size_t element,
		   int (*compare)(const void *, const void *));

/** @name Messages (note.c) @{ */
/** The whole cannot be read: write the error text and return @p code. */
int topology_fail(const struct topology_build *b, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Out of memory: the same. */
int topology_no_memory(const struct topology_build *b);

/**
 * Something is wrong with the table, yet nothing is left out for it. 0; -SMMU_EINVAL when it is strict, with the error
 * text written; -SMMU_ENOMEM.
 */
int topology_warn(const struct topology_build *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** The same, and @p n items are left out. */
int topology_leave_out(const struct topology_build *b, size_t n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** @} */

/** @name Pieces (build.c)
 * Zeroed but for index or kind and for @p name, which is copied. Earlier pointers into the same array become invalid.
 * NULL: *rc is negative after an error; it is 0 when the piece is left out, with a warning, because there are too many,
 * or for an SMMU because another has its @p base. @{ */
struct smmu_topology_smmu *topology_add_smmu(const struct topology_build *b, const char *name,
					     uint64_t base, int *rc);
struct smmu_topology_root *topology_add_root(const struct topology_build *b,
					     enum smmu_topology_kind kind, const char *name,
					     int *rc);
struct smmu_topology_reserved *topology_add_reserved(const struct topology_build *b,
						     const char *name, int *rc);
struct smmu_topology_other *topology_add_other(const struct topology_build *b, const char *kind,
					       const char *name, int *rc);
/** Append a range to @p root, a root of the topology: 0, also if it is left out, or negative. */
int topology_add_streams(const struct topology_build *b, struct smmu_topology_root *root,
			 const struct smmu_topology_streams *range);

/** Sort the ranges and gather the streams of each instance. 0 or -SMMU_ENOMEM. */
int topology_finish(const struct topology_build *b);
/** @} */

/** @name Who has which inputs (claim.c): the first to claim one has it @{ */
struct topology_claim {
	uint32_t first, last;
	uint32_t output; /**< of first */
	unsigned smmu;   /**< or TOPOLOGY_NOWHERE */
	uint32_t at;     /**< where in the table it stands */
	uint32_t
		heir; /**< the mapping of the same node, counted from 1, that has the input behind last; 0: none */
};

#define TOPOLOGY_NOWHERE (~0u) /**< it leads to something that is no SMMUv3 in use */

struct topology_claims {
	struct topology_claim *c; /**< disjoint, ascending */
	size_t n;
};

/**
 * Claim the inputs of the @p n mappings of a node, in the table's order: each has those that none before it has, and what
 * somebody has already is said in a warning. 0 or negative.
 *
 * With @p trim, where the last input of a mapping of several is the first of another, its count was written as one too
 * many: it loses that input to the other one, with a warning.
 */
int topology_claim_all(const struct topology_build *b, struct topology_claims *claims,
		       struct topology_claim *maps, size_t n, bool trim);
/** The claims become streams of @p root. Frees the claims. 0 or negative. */
int topology_claims_add(const struct topology_build *b, struct topology_claims *claims,
			struct smmu_topology_root *root);
void topology_claims_free(struct topology_claims *claims);
/** @} */

#endif
