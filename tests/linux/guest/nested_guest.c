/* SPDX-License-Identifier: BSD-2-Clause */
#include "nested_guest.h"

#include <string.h>

#define LEVELS 3u

/* IHI 0070 G.b, 5.4; the tables are those of the Arm ARM, D8. */
#define CD_W0                                                                                 \
	(25ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 30 | 1ull << 31 | 1ull << 41 | \
	 3ull << 45 | 1ull << 47)
#define CD_IPS_SHIFT 32
#define DESC_TABLE 3ull
#define DESC_PAGE (3ull | 1ull << 6 | 3ull << 8 | 1ull << 10 | 1ull << 11)

static void put(struct guest *g, uint64_t at, uint64_t value)
{
	*(volatile uint64_t *)(g->memory + at) = value;
	__asm__ volatile("dsb sy" ::: "memory");
}

static uint64_t leaf_at(uint64_t tables, uint64_t va)
{
	return tables + (LEVELS - 1) * PAGE + (va >> 12 & 511) * 8;
}

void guest_maps(struct guest *g, uint64_t tables, uint64_t va, uint64_t page_at)
{
	put(g, leaf_at(tables, va), page_at == NO_PAGE ? 0 : (IPA + PART + page_at) | DESC_PAGE);
}

void guest_cd(struct guest *g, uint64_t tables)
{
	put(g, CD_AT + 8, IPA + tables);
	put(g, CD_AT + 24, 0xff);
	put(g, CD_AT, CD_W0 | (uint64_t)g->oas << CD_IPS_SHIFT | OF_ASID(ASID));
}

void guest_tables(struct guest *g, uint64_t tables)
{
	memset(g->memory + tables, 0, LEVELS * PAGE);
	put(g, tables, (IPA + tables + PAGE) | DESC_TABLE);
	put(g, tables + PAGE + (VA >> 21) * 8, (IPA + tables + 2 * PAGE) | DESC_TABLE);
}
