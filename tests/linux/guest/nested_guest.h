/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest with an SMMU of its own has in its memory: a CD, tables of 4K pages for 39 bits, and pages for its devices. */
#ifndef SMMU_TESTS_LINUX_NESTED_GUEST_H
#define SMMU_TESTS_LINUX_NESTED_GUEST_H

#include <stdint.h>

#define PAGE 4096u
/* The guest's memory begins here. The first part has its tables, the second what its devices use: that goes and comes in one piece. */
#define IPA 0x80000000ull
#define PART 0x200000ull
#define CD_AT 0u
#define TABLES_AT 0x1000u
#define TABLES_2_AT 0x4000u /* others, to which the CD is switched */
#define VA 0x1000000ull
#define ASID 7u
#define OF_ASID(asid) ((uint64_t)(asid) << 48) /* in a CD and in a command */
#define NO_PAGE (~0ull)

/* The STE's words, as IHI 0070 G.b, 5.2 has them. */
#define STE_V 1ull
#define STE_ABORT (0ull << 1)
#define STE_BYPASS (4ull << 1)
#define STE_S1 (5ull << 1)
#define STE_S2 (6ull << 1)
#define STE_W1 (1ull << 2 | 1ull << 4 | 3ull << 6)

struct guest {
	uint8_t *memory; /* of two parts */
	uint32_t ioas, parent, oas;
};

/* All levels of tables, without a page. */
void guest_tables(struct guest *g, uint64_t tables);

/* The CD, for these tables. */
void guest_cd(struct guest *g, uint64_t tables);

/* The page at PAGE_AT of the second part is at VA in these tables; NO_PAGE: none is. */
void guest_maps(struct guest *g, uint64_t tables, uint64_t va, uint64_t page_at);

#endif
