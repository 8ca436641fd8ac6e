/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's memory and its checking allocator. All that it knows about a block is kept beside the memory, one
 * record a page, so that nothing the code under test writes can confuse it.
 *
 * Up to half a page: pages of equal blocks of 2^n bytes. Above: runs of whole pages, found by going round.
 */
#define _GNU_SOURCE
#include "ram.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE (1ull << SMMU_RAM_PAGE_SHIFT)
#define SMALL_MIN_SHIFT 6u /* blocks of 64 … 2048 bytes */
#define SMALL_MAX_SHIFT 11u
#define SMALL_BLOCKS (1u << (SMMU_RAM_PAGE_SHIFT - SMALL_MIN_SHIFT))
/* A search goes round in so many pages, and in so many times those that are taken: all others stay untouched. */
#define MIN_REACH 4096u
#define REACH_FACTOR 4u

enum page_kind { PAGE_FREE, PAGE_RUN, PAGE_REST /* of a run */, PAGE_SMALL };

/* kind, shift and live are read without the lock: by who asks for a page that an SMMU was told of. */
struct smmu_heap_page {
	uint8_t kind;
	uint8_t shift;   /* PAGE_SMALL: log2 of its blocks */
	uint64_t size;   /* PAGE_RUN: what was asked for */
	uint64_t live;   /* PAGE_SMALL: a bit for each block */
	uint64_t next;   /* PAGE_SMALL: page number + 1 of the next with room, of the same size */
	uint16_t *asked; /* PAGE_SMALL: the size asked for, of each block */
};

int smmu_ram_map(struct smmu_ram *ram, int fd, uint64_t base, uint64_t size)
{
	void *va;

	if (size == 0 || (size | base) & (PAGE_SIZE - 1))
		return -EINVAL;
	va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (va == MAP_FAILED)
		return -errno;
	*ram = (struct smmu_ram){.va = va, .base = base, .size = size};
	return 0;
}

int smmu_ram_create(struct smmu_ram *ram, uint64_t base, uint64_t size)
{
	int fd = memfd_create("smmu-ram", MFD_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	error = ftruncate(fd, (off_t)size) ? -errno : smmu_ram_map(ram, fd, base, size);
	close(fd);
	return error;
}

void smmu_ram_destroy(struct smmu_ram *ram)
{
	if (ram->va)
		munmap(ram->va, ram->size);
	ram->va = NULL;
}

static void heap_error(struct smmu_heap *heap, const char *what, const void *p, uint64_t asked,
		       uint64_t size)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "heap: %s: %p, allocated with %" PRIu64 ", freed with %" PRIu64, what, p, asked,
		 size);
	if (heap->error) {
		heap->error(heap->error_ctx, text);
	} else {
		fprintf(stderr, "%s\n", text);
		abort();
	}
}

static void heap_poison(const struct smmu_heap *heap, void *p, uint64_t bytes)
{
	uint64_t *word = p, *end = word + bytes / 8, line[8];
	unsigned i;

	/* The pattern lies as addresses do: turned so that it begins where the block does, it is copied line by line. */
	for (i = 0; i < 8; i++)
		line[i] =
			heap->pattern ? heap->pattern[((uintptr_t)word / 8 + i) % 8] : heap->poison;
	for (; end - word >= 8; word += 8)
		memcpy(word, line, sizeof(line));
	for (i = 0; word + i < end; i++)
		word[i] = line[i];
}

static uint8_t *heap_va(const struct smmu_heap *heap, uint64_t page)
{
	return heap->ram->va + (page << SMMU_RAM_PAGE_SHIFT);
}

int smmu_heap_init(struct smmu_heap *heap, const struct smmu_ram *ram, uint64_t offset,
		   uint64_t size)
{
	if (size == 0 && offset < ram->size)
		size = ram->size - offset;
	if (size == 0 || (size | offset) & (PAGE_SIZE - 1) || offset > ram->size ||
	    size > ram->size - offset)
		return -SMMU_EINVAL;
	*heap = (struct smmu_heap){.ram = ram, .poison = 0xdeadbeefdeadbeef};
	pthread_mutex_init(&heap->lock, NULL);
	heap->first = offset >> SMMU_RAM_PAGE_SHIFT;
	heap->pages = size >> SMMU_RAM_PAGE_SHIFT;
	heap->hint = heap->first;
	heap->reach = smmu_min64(MIN_REACH, heap->pages);
	heap->page = calloc(ram->size >> SMMU_RAM_PAGE_SHIFT, sizeof(*heap->page));
	return heap->page ? 0 : -SMMU_ENOMEM;
}

uint64_t smmu_heap_fini(struct smmu_heap *heap)
{
	uint64_t live = smmu_heap_live(heap), i;

	/* Nothing was ever taken beyond the reach. */
	for (i = heap->first; i < heap->first + heap->reach; i++)
		free(heap->page[i].asked);
	free(heap->page);
	heap->page = NULL;
	return live;
}

/* No handler comes while the lock is held: it may free memory, too. */
static smmu_irqflags heap_lock(struct smmu_heap *heap)
{
	smmu_irqflags flags = smmu_heap_mask();

	pthread_mutex_lock(&heap->lock);
	return flags;
}

static void heap_unlock(struct smmu_heap *heap, smmu_irqflags flags)
{
	pthread_mutex_unlock(&heap->lock);
	smmu_heap_unmask(flags);
}

/* Under the lock. */
static bool heap_fails(struct smmu_heap *heap)
{
	struct smmu_fail *f = &heap->fail;
	bool fails = false;

	f->seen++;
	if (f->nth && --f->nth == 0)
		fails = true;
	if (f->every && f->seen % f->every == 0)
		fails = true;
	f->failed += fails;
	return fails;
}

static void heap_count(struct smmu_heap *heap)
{
	heap->peak_bytes = smmu_max64(heap->peak_bytes, heap->dma_bytes + heap->cpu_bytes);
}

static void heap_set_kind(struct smmu_heap *heap, uint64_t page, enum page_kind kind)
{
	heap->taken += (uint64_t)(kind != PAGE_FREE) - (heap->page[page].kind != PAGE_FREE);
	__atomic_store_n(&heap->page[page].kind, (uint8_t)kind, __ATOMIC_RELEASE);
}

static void heap_set_live(struct smmu_heap_page *page, uint64_t live)
{
	__atomic_store_n(&page->live, live, __ATOMIC_RELAXED);
}

/* A run of @n free pages within reach whose bus address is a multiple of @align; its first page or UINT64_MAX. */
static uint64_t heap_search(struct smmu_heap *heap, uint64_t n, uint64_t align)
{
	uint64_t end = heap->first + heap->reach, lap, page, i;

	for (lap = 0; lap < 2; lap++) {
		page = lap ? heap->first : heap->hint;
		while (page + n <= end) {
			uint64_t bus = heap->ram->base + (page << SMMU_RAM_PAGE_SHIFT);
			uint64_t up = smmu_align_up(bus, align) - bus;

			if (up) {
				page += up >> SMMU_RAM_PAGE_SHIFT;
				continue;
			}
			for (i = 0; i < n && heap->page[page + i].kind == PAGE_FREE; i++)
				;
			if (i == n) {
				heap->hint = page + n;
				return page;
			}
			page += i + 1;
		}
	}
	return UINT64_MAX;
}

static uint64_t heap_find(struct smmu_heap *heap, uint64_t n, uint64_t align)
{
	uint64_t page;

	heap->reach = smmu_max64(heap->reach, smmu_min64(heap->taken * REACH_FACTOR, heap->pages));
	while ((page = heap_search(heap, n, align)) == UINT64_MAX && heap->reach < heap->pages)
		heap->reach = smmu_min64(heap->reach * 2, heap->pages);
	return page;
}

static void *heap_take_run(struct smmu_heap *heap, uint64_t size, uint64_t align)
{
	uint64_t n = (size + PAGE_SIZE - 1) >> SMMU_RAM_PAGE_SHIFT, i;
	uint64_t page = heap_find(heap, n, smmu_max64(align, PAGE_SIZE));

	if (page == UINT64_MAX)
		return NULL;
	heap_set_kind(heap, page, PAGE_RUN);
	heap->page[page].size = size;
	for (i = 1; i < n; i++)
		heap_set_kind(heap, page + i, PAGE_REST);
	return heap_va(heap, page);
}

static void *heap_take_small(struct smmu_heap *heap, uint64_t size, unsigned shift)
{
	uint64_t *partial = &heap->partial[shift - SMALL_MIN_SHIFT], number;
	unsigned blocks = 1u << (SMMU_RAM_PAGE_SHIFT - shift), block;
	uint64_t all = blocks == 64 ? ~0ull : SMMU_BIT(blocks) - 1;
	struct smmu_heap_page *page;

	if (!*partial) {
		uint16_t *asked = calloc(blocks, sizeof(*asked));

		number = asked ? heap_find(heap, 1, PAGE_SIZE) : UINT64_MAX;
		if (number == UINT64_MAX) {
			free(asked);
			return NULL;
		}
		page = &heap->page[number];
		heap_set_live(page, 0);
		__atomic_store_n(&page->shift, (uint8_t)shift, __ATOMIC_RELAXED);
		page->asked = asked;
		page->next = 0;
		heap_set_kind(heap, number, PAGE_SMALL);
		*partial = number + 1;
	}
	number = *partial - 1;
	page = &heap->page[number];
	block = (unsigned)__builtin_ctzll(~page->live);
	heap_set_live(page, page->live | SMMU_BIT(block));
	page->asked[block] = (uint16_t)size;
	if (page->live == all) {
		*partial = page->next;
		page->next = 0;
	}
	return heap_va(heap, number) + ((uint64_t)block << shift);
}

void *smmu_heap_dma_alloc(struct smmu_heap *heap, size_t size, size_t align, uint64_t *bus)
{
	smmu_irqflags flags;
	unsigned shift = smmu_order_up(smmu_max64(smmu_max64(size, align), 1u << SMALL_MIN_SHIFT));
	void *va = NULL;

	if (size == 0 || align & (align - 1))
		return NULL;
	flags = heap_lock(heap);
	if (!heap_fails(heap))
		va = shift <= SMALL_MAX_SHIFT ? heap_take_small(heap, size, shift)
					      : heap_take_run(heap, size, align);
	if (va) {
		heap->dma_blocks++;
		heap->dma_bytes += size;
		heap_count(heap);
	}
	heap_unlock(heap, flags);
	if (!va)
		return NULL;
	memset(va, 0, size);
	*bus = heap->ram->base + (uint64_t)((uint8_t *)va - heap->ram->va);
	return va;
}

/* Returns what is wrong, or NULL; stores the size that was asked for in *@asked. */
static const char *heap_put_run(struct smmu_heap *heap, uint64_t number, uint64_t size,
				uint64_t *asked)
{
	uint64_t n = (size + PAGE_SIZE - 1) >> SMMU_RAM_PAGE_SHIFT, i;

	*asked = heap->page[number].size;
	if (*asked != size)
		return "wrong size";
	heap_poison(heap, heap_va(heap, number), n << SMMU_RAM_PAGE_SHIFT);
	for (i = 0; i < n; i++)
		heap_set_kind(heap, number + i, PAGE_FREE);
	return NULL;
}

static const char *heap_put_small(struct smmu_heap *heap, uint64_t number, uint64_t offset,
				  uint64_t size, uint64_t *asked)
{
	struct smmu_heap_page *page = &heap->page[number];
	unsigned blocks = 1u << (SMMU_RAM_PAGE_SHIFT - page->shift);
	uint64_t all = blocks == 64 ? ~0ull : SMMU_BIT(blocks) - 1, block = offset >> page->shift;

	if (offset & (SMMU_BIT(page->shift) - 1))
		return "not the start of a block";
	if (!(page->live & SMMU_BIT(block)))
		return "double free";
	*asked = page->asked[block];
	if (*asked != size)
		return "wrong size";
	heap_poison(heap, heap_va(heap, number) + offset, SMMU_BIT(page->shift));
	if (page->live == all) {
		page->next = heap->partial[page->shift - SMALL_MIN_SHIFT];
		heap->partial[page->shift - SMALL_MIN_SHIFT] = number + 1;
	}
	/* The page stays with its size: an empty one is the first to be used again. */
	heap_set_live(page, page->live & ~SMMU_BIT(block));
	return NULL;
}

void smmu_heap_dma_free(struct smmu_heap *heap, void *va, size_t size)
{
	smmu_irqflags flags;
	uint64_t offset = (uint64_t)((uint8_t *)va - heap->ram->va);
	uint64_t number = offset >> SMMU_RAM_PAGE_SHIFT, asked = 0;
	const char *wrong = NULL;

	if (!va)
		return;
	if (number < heap->first || number >= heap->first + heap->pages) {
		heap_error(heap, "no memory of this heap", va, 0, size);
		return;
	}
	flags = heap_lock(heap);
	switch (heap->page[number].kind) {
	case PAGE_SMALL:
		wrong = heap_put_small(heap, number, offset & (PAGE_SIZE - 1), size, &asked);
		break;
	case PAGE_RUN:
		wrong = offset & (PAGE_SIZE - 1) ? "not the start of a block"
						 : heap_put_run(heap, number, size, &asked);
		break;
	case PAGE_REST:
		wrong = "not the start of a block";
		break;
	default:
		wrong = "double free";
	}
	if (!wrong) {
		heap->dma_blocks--;
		heap->dma_bytes -= size;
	}
	heap_unlock(heap, flags);
	if (wrong)
		heap_error(heap, wrong, va, asked, size);
}

/* In front of each block for processors. */
struct cpu_block {
	uint64_t size;
	uint64_t magic;
} __attribute__((aligned(16)));

#define CPU_LIVE 0x6c69766562656566ull
#define CPU_FREED 0x6465616462656566ull

/* A handler that comes in the middle of malloc or free would wait for itself there. */
void *smmu_heap_alloc(struct smmu_heap *heap, size_t size)
{
	smmu_irqflags outer = smmu_heap_mask(), flags;
	struct cpu_block *b = NULL;
	bool fails;

	flags = heap_lock(heap);
	fails = heap_fails(heap);
	heap_unlock(heap, flags);
	if (fails || posix_memalign((void **)&b, 64, sizeof(*b) + smmu_align_up(size, 16))) {
		smmu_heap_unmask(outer);
		return NULL;
	}
	memset(b, 0, sizeof(*b) + smmu_align_up(size, 16));
	*b = (struct cpu_block){.size = size, .magic = CPU_LIVE};
	flags = heap_lock(heap);
	heap->cpu_blocks++;
	heap->cpu_bytes += size;
	heap_count(heap);
	heap_unlock(heap, flags);
	smmu_heap_unmask(outer);
	return b + 1;
}

void smmu_heap_free(struct smmu_heap *heap, void *p, size_t size)
{
	smmu_irqflags outer, flags;
	struct cpu_block *b;

	if (!p)
		return;
	b = (struct cpu_block *)p - 1;
	/* After a double free this reads freed memory, which a sanitizer reports and else mostly still works. */
	if (b->magic != CPU_LIVE) {
		heap_error(heap, b->magic == CPU_FREED ? "double free" : "not the start of a block",
			   p, 0, size);
		return;
	}
	if (b->size != size) {
		heap_error(heap, "wrong size", p, b->size, size);
		return;
	}
	outer = smmu_heap_mask();
	heap_poison(heap, p, smmu_align_up(size, 16));
	b->magic = CPU_FREED;
	__asm__ volatile(
		"" ::
			: "memory"); /* the compiler would drop stores into memory about to be freed */
	free(b);
	flags = heap_lock(heap);
	heap->cpu_blocks--;
	heap->cpu_bytes -= size;
	heap_unlock(heap, flags);
	smmu_heap_unmask(outer);
}

void smmu_heap_fail(struct smmu_heap *heap, uint64_t nth, uint64_t every)
{
	smmu_irqflags flags;
	flags = heap_lock(heap);
	heap->fail.nth = nth;
	heap->fail.every = every;
	heap_unlock(heap, flags);
}

uint64_t smmu_heap_live(struct smmu_heap *heap)
{
	smmu_irqflags flags;
	uint64_t live;

	flags = heap_lock(heap);
	live = heap->dma_blocks + heap->cpu_blocks;
	heap_unlock(heap, flags);
	return live;
}

bool smmu_heap_is_live(struct smmu_heap *heap, uint64_t bus)
{
	uint64_t offset = bus - heap->ram->base, number = offset >> SMMU_RAM_PAGE_SHIFT, live;
	const struct smmu_heap_page *page;
	unsigned kind;

	if (number < heap->first || number >= heap->first + heap->pages)
		return false;
	page = &heap->page[number];
	kind = __atomic_load_n(&page->kind, __ATOMIC_ACQUIRE);
	if (kind != PAGE_SMALL)
		return kind != PAGE_FREE;
	live = __atomic_load_n(&page->live, __ATOMIC_RELAXED);
	offset &= PAGE_SIZE - 1;
	return live & SMMU_BIT(offset >> __atomic_load_n(&page->shift, __ATOMIC_RELAXED));
}
