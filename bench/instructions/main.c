/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file main.c
 * Counts instructions; run it by count.sh, which puts callgrind around it and prints what it counted.
 */
#include "bench.h"

int main(void)
{
	void *p;
	uint64_t bus;

	BENCH("empty", "marks", );
	BENCH("alloc", "marks", p = bench_port.ops->dma_alloc(NULL, 4096, 4096, 0, &bus));
	BENCH("free", "marks", bench_port.ops->dma_free(NULL, p, 4096));
	bench_pgtable();
	bench_sweep();
	return 0;
}
