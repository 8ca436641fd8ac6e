/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others measured on real parts and said in public, marked as theirs; and what the virtual clock says of the same call
 * here, so that one sees whether its parameters are of this world.
 */
#include "suite.h"

static const struct {
	const char *who, *what;
	double value;
} theirs[] = {
	{"theirs: Linux, local node",
	 "CMD_SYNC on an empty queue, ns (series for a queue per NUMA node, iommu list)", 240},
	{"theirs: Linux, remote node",
	 "CMD_SYNC on an empty queue, ns (same series: more than this)", 550},
	{"theirs: Linux on Morello",
	 "unmap of 4K, ns (M. Saleh, series on debug_pagealloc, iommu list)", 600},
	{"theirs: Linux on Snapdragon", "unmap of 4K, ns (same series)", 1800},
	{"theirs: Linux, 8 threads", "unmap of 4K, ns (same series)", 6200},
	{"theirs: Linux", "unmap of 1M, ns (same series)", 54000},
	{"theirs: Linux, 8 threads", "unmap of 1M, ns (same series)", 340000},
	{"theirs: Linux, 32 processors",
	 "map and unmap a processor and second, one queue (J. Garry, June 2020)", 63187},
	{"theirs: Linux, 64 processors",
	 "map and unmap a processor and second, one queue (J. Garry, June 2020)", 19418},
	{"theirs: Linux, 128 processors",
	 "map and unmap a processor and second, one queue (J. Garry, June 2020)", 10169},
	{"theirs: Linux, 32 processors",
	 "the same without the compare-exchange loop (J. Garry, June 2020)", 93287},
	{"theirs: Linux, 64 processors",
	 "the same without the compare-exchange loop (J. Garry, June 2020)", 44789},
	{"theirs: Linux, 128 processors",
	 "the same without the compare-exchange loop (J. Garry, June 2020)", 15862},
	{"theirs: Intel VT-d",
	 "invalidation and wait of an unmap, ns (iommu-vm, host_aggregate.csv: tlb_sync)", 2320},
	{"theirs: Intel VT-d", "invalidation of a strict unmap, cycles (rIOMMU, table 1)", 2127},
};

void bench_others(struct suite_table *t, const struct suite_options *o)
{
	t->unit = "as named";
	t->title = "others' figures on real parts, from what they published; none of them was "
		   "measured here";
	for (unsigned i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		suite_row(t, theirs[i].who, theirs[i].value)->what = theirs[i].what;
	suite_row(t, "smmuv3, virtual clock", suite_unmap_ns(t, o, 240))->what =
		"unmap of 4K, ns, CMD_SYNC 240 ns, with the processor's time";
	suite_row(t, "smmuv3, virtual clock", suite_unmap_ns(t, o, 550))->what =
		"unmap of 4K, ns, CMD_SYNC 550 ns, with the processor's time";
}
