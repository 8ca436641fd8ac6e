/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of map and unmap through VFIO. Under QEMU's -icount shift=0 a tick of the virtual counter is an instruction times
 * its frequency over 10^9; at the frequency of -cpu max it is one.
 *
 * usage: vfio_bench GROUP:DEVICE…
 */
#include <stdio.h>
#include <stdlib.h>

#include "vfio.h"

#define RUNS 101u
#define IOVA 0x40000000ull
#define MEMORY 0x200000ull

static const uint64_t sizes[] = {0x1000, 0x10000, 0x200000};

static uint64_t ticks(void)
{
	uint64_t value;

	__asm__ volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(value)::"memory");
	return value;
}

static uint64_t frequency(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
	return value;
}

/* For tests/linux/host/count.c, a window of number N; without that they do nothing. */
static void window_begin(uint64_t n)
{
	register uint64_t x9 __asm__("x9") = n;

	__asm__ volatile("hint #88" : : "r"(x9) : "memory");
}

static void window_end(void)
{
	__asm__ volatile("hint #89" : : : "memory");
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	static uint64_t map[RUNS], unmap[RUNS];
	struct vfio v;
	uint8_t *memory;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	vfio_open(&v, (unsigned)(argc - 1), argv + 1);
	memory = vfio_memory(MEMORY);
	printf("bench: frequency=%llu\n", (unsigned long long)frequency());
	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (unsigned i = 0; i < RUNS; i++) {
			uint64_t start;
			int error;

			window_begin(s);
			start = ticks();
			error = vfio_map(&v, memory, IOVA, sizes[s]);
			map[i] = ticks() - start;
			window_end();
			if (error) {
				printf("FAILED: bench: map\n");
				return 1;
			}
			window_begin(4 + s);
			start = ticks();
			error = vfio_unmap(&v, IOVA, sizes[s]);
			unmap[i] = ticks() - start;
			window_end();
			if (error) {
				printf("FAILED: bench: unmap\n");
				return 1;
			}
		}
		qsort(map, RUNS, sizeof(map[0]), compare);
		qsort(unmap, RUNS, sizeof(unmap[0]), compare);
		printf("bench: devices=%u size=%llu map=%llu unmap=%llu map_min=%llu "
		       "unmap_min=%llu\n",
		       v.nr_devices, (unsigned long long)sizes[s],
		       (unsigned long long)map[RUNS / 2], (unsigned long long)unmap[RUNS / 2],
		       (unsigned long long)map[0], (unsigned long long)unmap[0]);
	}
	printf("ok: bench\n");
	return 0;
}
