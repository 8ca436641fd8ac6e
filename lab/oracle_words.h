/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file oracle_words.h
 * How the judge keeps promises: what the files of the oracle share.
 *
 * A page: version [63:46], state [45:44], permissions [43:40], page number of the output address [39:0].
 * A stream: version [63:32], changing [17], hitless [16], to [15:8], from [7:0].
 * A version may wrap: between the two looks of one DMA it would have to go all the way around.
 */
#ifndef SMMU_LAB_ORACLE_WORDS_H
#define SMMU_LAB_ORACLE_WORDS_H

#include <stddef.h>

#include "oracle.h"

#define PAGE_VERSION (1ull << 46)
#define PAGE_STATE_SHIFT 44
#define PAGE_PROT_SHIFT 40
#define PAGE_PROT 15u
#define PAGE_PFN ((1ull << 40) - 1)
#define STREAM_VERSION (1ull << 32)
#define STREAM_CHANGING (1ull << 17)
#define STREAM_HITLESS (1ull << 16)

enum state { UNMAPPED, MAPPING, MAPPED, UNMAPPING };

#define CHUNK_SHIFT 21
#define CHUNK_PAGES (1u << (CHUNK_SHIFT - ORACLE_PAGE_SHIFT))

/*
 * Its pages are mapped and unmapped together as a rule where mappings are large: then `whole` is the word of the first, the
 * others follow it in memory, and page[] says nothing, nor is it touched. One thread at a time changes a chunk.
 */
struct chunk {
	uint64_t number;   /* iova >> CHUNK_SHIFT */
	uint64_t whole;    /* 0: page[] */
	uint64_t *page;    /* CHUNK_PAGES of them */
	uint64_t *written; /* the log of each page (oracle_log.c); NULL: none is kept */
};

/* Chunks that were added together. */
struct window {
	struct window *next;
	uint64_t *page, *written; /* of all of them */
	struct chunk chunk[];
};

/* An open hash of chunks; grows only while windows are added. */
struct shadow {
	struct chunk **slot;
	uint64_t slots, used; /* slots: 0 or a power of two */
	struct window *window;
};

#define DOUBT_WORDS 4u

struct oracle {
	uint64_t memory, memory_bytes; /* that who passes untranslated reaches */
	unsigned domains, streams;
	bool log; /* of writes */
	struct shadow *shadow;
	uint8_t *rule; /* of each domain: enum oracle_rule */
	/* Of each domain, whose view it is. */
	struct view {
		bool is, follows;
		unsigned of;
		uint64_t offset;
	} * view;
	bool views; /* there are any */
	uint64_t *stream;
	uint64_t (*doubt)[DOUBT_WORDS]; /* of each stream, a bit for each domain; mostly 0 */
};

static inline uint64_t oracle_hash(uint64_t number, uint64_t slots)
{
	return (number * 0x9e3779b97f4a7c15ull >> 20) & (slots - 1);
}

/* The chunk of an address, or NULL outside the windows. */
static inline struct chunk *oracle_find(const struct shadow *s, uint64_t iova)
{
	uint64_t number = iova >> CHUNK_SHIFT, i;

	if (!s->slots)
		return NULL;
	for (i = oracle_hash(number, s->slots); s->slot[i]; i = (i + 1) & (s->slots - 1)) {
		if (s->slot[i]->number == number)
			return s->slot[i];
	}
	return NULL;
}

/* What the log has of a page; 0 without one. */
uint64_t oracle_log_word(const struct oracle *o, unsigned domain, uint64_t iova);
/* Pages are mapped anew, or begin to go: what was written of them before does not count. */
void oracle_log_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size);
/* The word of a page; 0, not mapped, outside the windows of the domain. */
uint64_t oracle_word(const struct oracle *o, unsigned domain, uint64_t iova);

static inline enum state page_state(uint64_t word)
{
	return (enum state)(word >> PAGE_STATE_SHIFT & 3);
}

#endif
