/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file testport.h
 * A port for the tests of page tables: counts every allocation, can fail one of them, gives tables bus addresses
 * that differ from host addresses, and keeps a shadow of what a walker that does not snoop would see.
 */
#ifndef TEST_PGTABLE_TESTPORT_H
#define TEST_PGTABLE_TESTPORT_H

#include <pthread.h>
#include <smmuv3/pgtable.h>

#define TESTPORT_SLOTS 4096u
#define TESTPORT_SLOT_SHIFT \
	20 /* bus space of one allocation; holds the largest first table, 16 of 64K */

/** What is known about a word of a table: bits of testport_slot.word. */
enum {
	TESTPORT_LOOSE = 1, /**< stored since the last write barrier */
	TESTPORT_DIRTY = 2, /**< stored since it was last cleaned */
};

struct testport_slot {
	uint8_t *va;     /**< NULL: free */
	uint8_t *shadow; /**< what has been cleaned so far; junk before */
	uint8_t *word;   /**< TESTPORT_… of each 8 bytes */
	uint64_t size;
	uint64_t bus;
};

struct testport {
	struct smmu_port port;
	pthread_mutex_t lock; /**< allocation and shadows */
	struct testport_slot slot[TESTPORT_SLOTS];
	unsigned hint;
	uint64_t base;   /**< bus address of slot 0 */
	uint8_t *region; /**< where slot 0 is; NULL: each has memory of its own */
	unsigned live;
	unsigned allocs;  /**< so far, failed ones not counted */
	unsigned fail_at; /**< let the so-many-th allocation from now fail; 0: none */
	unsigned cleans;
	unsigned idle_cleans; /**< cache lines cleaned in which nothing was dirty */
	unsigned last_flags;  /**< of the latest dma_alloc */
	uint64_t seed;
	/** Called before an allocation or a clean takes effect, with itself out of place; NULL for none. */
	void (*on_alloc)(struct testport *tp);
	void (*on_clean)(struct testport *tp, const void *va, size_t size);
};

/**
 * How the next port says where a bus address is: by a function, or (true) by one distance for all. With the function each
 * table has memory of its own, so that tools see an access beside it; with the distance all are in one region.
 */
extern bool testport_linear;
/** Run a program's tests with each. */
#define TESTPORT_MAIN(tests)                                                               \
	int main(void)                                                                     \
	{                                                                                  \
		int failed = 0;                                                            \
                                                                                           \
		for (int linear = 0; linear < 2; linear++) {                               \
			testport_linear = linear;                                          \
			failed += cmocka_run_group_tests_name(                             \
				linear ? "dma_offset" : "dma_to_virt", tests, NULL, NULL); \
		}                                                                          \
		return failed;                                                             \
	}

/** Bus addresses end at 2^@p oas. */
void testport_init(struct testport *tp, unsigned oas);
/** Fails the test if anything is left. */
void testport_fini(struct testport *tp);
/** Eight bytes at @p bus, as processors (or, for @p shadow, a walker that does not snoop) see them. */
uint64_t testport_read(struct testport *tp, uint64_t bus, bool shadow);

/** A word was stored: it is loose and dirty. Only programs that see every store may call it. */
void testport_stored(struct testport *tp, const uint64_t *word);
/** A write barrier: nothing is loose any more. */
void testport_barrier(struct testport *tp);
/** The TESTPORT_… that any word of the table at bus address @p bus has. */
unsigned testport_state(struct testport *tp, uint64_t bus);

/** SMMU_TEST_SEED, or a seed from the clock; printed, so that a failure can be repeated. */
uint64_t test_seed(void);
uint64_t test_random(uint64_t *state);

#endif
