/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory behind the caches of processors, for SMMUs that are not coherent. */
#define _GNU_SOURCE
#include "shadow.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define LINE SMMU_SHADOW_LINE

static uint8_t *zero_pages(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int smmu_shadow_create(struct smmu_shadow *s, const struct smmu_ram *ram)
{
	memset(s, 0, sizeof(*s));
	s->ram = ram;
	s->seen = *ram;
	s->seen.va = zero_pages(ram->size);
	s->base = zero_pages(ram->size);
	s->stored = zero_pages(ram->size / LINE);
	if (!s->seen.va || !s->base || !s->stored) {
		smmu_shadow_destroy(s);
		return -ENOMEM;
	}
	pthread_mutex_init(&s->lock, NULL);
	return 0;
}

void smmu_shadow_destroy(struct smmu_shadow *s)
{
	if (s->seen.va)
		munmap(s->seen.va, s->seen.size);
	if (s->base)
		munmap(s->base, s->seen.size);
	if (s->stored)
		munmap(s->stored, s->seen.size / LINE);
	s->seen.va = s->base = s->stored = NULL;
}

/* Words, so that neither side ever sees half of a store that the hardware would not tear. */
static void copy_line(void *to, const void *from)
{
	uint64_t *t = to;
	const uint64_t *f = from;

	for (unsigned i = 0; i < LINE / 8; i++)
		__atomic_store_n(&t[i], __atomic_load_n(&f[i], __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

static bool dirty(const struct smmu_shadow *s, uint64_t line)
{
	return s->stored[line / LINE] || memcmp(s->ram->va + line, s->base + line, LINE) != 0;
}

static void write_back(struct smmu_shadow *s, uint64_t line)
{
	s->stored[line / LINE] = 0;
	copy_line(s->base + line, s->ram->va + line);
	copy_line(s->seen.va + line, s->base + line);
}

static void load(struct smmu_shadow *s, uint64_t line)
{
	s->stored[line / LINE] = 0;
	copy_line(s->base + line, s->seen.va + line);
	copy_line(s->ram->va + line, s->base + line);
}

/** The lines of @p size bytes at @p va: offsets *@p first to *@p last. False: they are not in this memory. */
static bool lines(const struct smmu_shadow *s, const void *va, size_t size, uint64_t *first,
		  uint64_t *last)
{
	uint64_t offset = (uint64_t)((const uint8_t *)va - s->ram->va);

	if (!size || offset >= s->ram->size || size > s->ram->size - offset)
		return false;
	*first = offset & ~(uint64_t)(LINE - 1);
	*last = (offset + size - 1) & ~(uint64_t)(LINE - 1);
	return true;
}

static void remember(struct smmu_shadow *s, uint64_t line)
{
	s->recent[s->n_recent++ % SMMU_SHADOW_RECENT] = line;
	if (s->n_recent == 2 * SMMU_SHADOW_RECENT)
		s->n_recent = SMMU_SHADOW_RECENT;
}

void smmu_shadow_clean(struct smmu_shadow *s, const void *va, size_t size)
{
	uint64_t line, last;

	if (!lines(s, va, size, &line, &last))
		return;
	pthread_mutex_lock(&s->lock);
	remember(s, line);
	for (; line <= last; line += LINE) {
		if (!dirty(s, line))
			continue;
		write_back(s, line);
		s->cleaned++;
	}
	pthread_mutex_unlock(&s->lock);
}

void smmu_shadow_invalidate(struct smmu_shadow *s, const void *va, size_t size)
{
	uint64_t line, last;

	if (!lines(s, va, size, &line, &last))
		return;
	pthread_mutex_lock(&s->lock);
	remember(s, line);
	for (; line <= last; line += LINE) {
		s->lost += dirty(s, line);
		load(s, line);
	}
	pthread_mutex_unlock(&s->lock);
}

void smmu_shadow_store(struct smmu_shadow *s, const void *va, size_t size)
{
	uint64_t line, last;

	if (!lines(s, va, size, &line, &last))
		return;
	pthread_mutex_lock(&s->lock);
	remember(s, line);
	memset(s->stored + line / LINE, 1, (last - line) / LINE + 1);
	pthread_mutex_unlock(&s->lock);
}

void smmu_shadow_touch(struct smmu_shadow *s, const void *va)
{
	uint64_t line, last;

	if (!lines(s, va, 1, &line, &last))
		return;
	pthread_mutex_lock(&s->lock);
	remember(s, line);
	pthread_mutex_unlock(&s->lock);
}

void smmu_shadow_stir(struct smmu_shadow *s, struct smmu_random *random)
{
	unsigned have = s->n_recent < SMMU_SHADOW_RECENT ? s->n_recent : SMMU_SHADOW_RECENT;
	uint64_t line;

	if (!have)
		return;
	pthread_mutex_lock(&s->lock);
	line = s->recent[smmu_random_below(random, have)];
	if (dirty(s, line)) {
		write_back(s, line);
		s->evicted++;
	} else {
		load(s, line);
		s->reloaded++;
	}
	pthread_mutex_unlock(&s->lock);
}
