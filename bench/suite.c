/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of benchmarks. */
#include "suite.h"

const struct suite_benchmark suite_benchmarks[] = {
	{"instances", "one unmap of a domain shared by 1 to 64 SMMUs, under each design",
	 bench_instances},
	{"latencies", "the same for a CMD_SYNC of 240 and 550 ns and an ATC of 1 to 100 us",
	 bench_latencies},
	{"slow-one", "the same on 8 SMMUs of which one answers slowly", bench_slow_one},
	{"guests", "one unmap of a parent with guests on 1 to 32 SMMUs", bench_guests},
	{"trace", "all unmaps of the trace of a disk, under each design", bench_trace},
	{"commands", "commands for a range of pages, beside the fewest possible", bench_commands},
	{"atc-spans", "pages that an ATC is told to drop beyond the range", bench_atc_spans},
	{"attach", "adding a device to an array of 1 to 16,384 operations, and taking it off",
	 bench_attach},
	{"lookup", "finding one stream among 16 to 65,536", bench_lookup},
	{"interrupts", "how long interrupts are masked, by the size of a batch", bench_interrupts},
	{"designs", "instructions of a whole unmap under each design", bench_designs},
	{"instructions", "instructions of calls and their parts, beside a list and a floor",
	 bench_instructions},
	{"threads", "1 to 16 threads on one queue and on one each, in real time", bench_threads},
	{"threads-ahead", "the same, ours divided by a compare-exchange queue", bench_threads},
	{"threads-scaling", "the same, divided by one thread", bench_threads},
	{"locks", "a read section beside a reader-writer lock and a spinlock, 1 to 16 threads",
	 bench_locks},
	{"grace", "what a writer waits for while others read", bench_locks},
	{"startup", "bringing up 64 SMMUs and 65,536 streams: time", bench_startup},
	{"startup-memory", "the same: memory", bench_startup},
	{"memory", "bytes of a domain, a device, an instance, an entry, a fence", bench_memory},
	{"simulator", "operations of smmuv3 run a processor second, 1 to 16 SMMUs",
	 bench_simulator},
	{"others", "what others measured on real parts, to stand beside", bench_others},
};
const size_t suite_count = sizeof(suite_benchmarks) / sizeof(suite_benchmarks[0]);
