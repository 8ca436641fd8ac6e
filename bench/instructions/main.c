/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file main.c
 * Counts instructions. usage: smmuv3-count --count runs itself under callgrind and prints rows; without it, it is what runs there.
 */
#include <string.h>

#include "bench.h"

int main(int argc, char **argv)
{
	void *p;
	uint64_t bus;

	if (argc == 2 && !strcmp(argv[1], "--count"))
		return bench_count("/proc/self/exe");
	BENCH("empty", "marks", );
	BENCH("alloc", "marks", p = bench_port.ops->dma_alloc(NULL, 4096, 4096, 0, &bus));
	BENCH("free", "marks", bench_port.ops->dma_free(NULL, p, 4096));
	bench_pgtable();
	bench_sweep();
	bench_designs();
	bench_masked();
	return 0;
}
