/* SPDX-License-Identifier: BSD-2-Clause */
/* The hosted port: memory, clock and log. */
#define _GNU_SOURCE
#include "posix_port.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- struct smmu_port_ops ---- */

static void *posix_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct smmu_posix *posix = ctx;

	return smmu_heap_dma_alloc(posix->heap, size, align, bus);
}

static void posix_dma_free(void *ctx, void *va, size_t size)
{
	struct smmu_posix *posix = ctx;

	smmu_heap_dma_free(posix->heap, va, size);
}

static void *posix_dma_to_virt(void *ctx, uint64_t bus)
{
	const struct smmu_posix *posix = ctx;

	return smmu_ram_at(posix->heap->ram, bus, 1);
}

static void *posix_alloc(void *ctx, size_t size)
{
	struct smmu_posix *posix = ctx;

	return smmu_heap_alloc(posix->heap, size);
}

static void posix_free(void *ctx, void *p, size_t size)
{
	struct smmu_posix *posix = ctx;

	smmu_heap_free(posix->heap, p, size);
}

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t posix_now_ns(void *ctx)
{
	const struct smmu_posix *posix = ctx;

	return posix->clock ? posix->clock(posix->clock_ctx) : monotonic_ns();
}

/* Handlers log as well: nothing of stdio's is locked here, and no handler comes while the ring is. */
static void posix_log(void *ctx, enum smmu_log_level level, const char *text)
{
	static const char *const name[] = {"error", "warning", "info"};
	struct smmu_posix *posix = ctx;
	smmu_irqflags flags = smmu_irq_save();
	char line[SMMU_POSIX_LOG_BYTES + 32];

	if ((int)level <= posix->stderr_level) {
		int n = snprintf(line, sizeof(line), "smmuv3: %s: %s\n", name[level], text);
		size_t length = (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;

		line[length - 1] = '\n';
		if (write(STDERR_FILENO, line, length) < 0)
			posix->stderr_level = -1;
	}
	pthread_mutex_lock(&posix->log_lock);
	snprintf(posix->log_ring[posix->log_next++ % SMMU_POSIX_LOG_LINES], SMMU_POSIX_LOG_BYTES,
		 "%s", text);
	posix->logged[level]++;
	pthread_mutex_unlock(&posix->log_lock);
	smmu_irq_restore(flags);
}

bool smmu_posix_logged(struct smmu_posix *posix, const char *text)
{
	smmu_irqflags flags = smmu_irq_save();
	bool found = false;
	unsigned i;

	pthread_mutex_lock(&posix->log_lock);
	for (i = 0; i < SMMU_POSIX_LOG_LINES && !found; i++)
		found = strstr(posix->log_ring[i], text);
	pthread_mutex_unlock(&posix->log_lock);
	smmu_irq_restore(flags);
	return found;
}

static void posix_clean(void *ctx, const void *va, size_t size)
{
	struct smmu_posix *posix = ctx;

	if (posix->clean)
		posix->clean(posix->cache_ctx, va, size);
}

static void posix_invalidate(void *ctx, const void *va, size_t size)
{
	struct smmu_posix *posix = ctx;

	if (posix->invalidate)
		posix->invalidate(posix->cache_ctx, va, size);
}

static const struct smmu_port_ops posix_ops = {
	.dma_alloc = posix_dma_alloc,
	.dma_free = posix_dma_free,
	.dma_to_virt = posix_dma_to_virt,
	.alloc = posix_alloc,
	.free = posix_free,
	.clean = posix_clean,
	.invalidate = posix_invalidate,
	.now_ns = posix_now_ns,
	.log = posix_log,
};

void smmu_posix_port_init(struct smmu_port *port, struct smmu_posix *posix)
{
	pthread_mutex_init(&posix->log_lock, NULL);
	*port = (struct smmu_port){.ops = &posix_ops, .ctx = posix, .rcu = &posix->rcu};
}
