/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of all commands. */
#include "option_table.h"

#include <inttypes.h>
#include <string.h>

#include "output.h"
#include "topology.h"

#define AT(member) offsetof(struct options, member)
#define MACHINES (CMD_RUN | CMD_REPLAY | CMD_ARRAYS)

const struct option option_table[] = {
	{"device", OPTION_DEVICE, CMD_RUN | CMD_REPLAY, OPTION_NONE, OPTION_NONE, 0, 0,
	 "model|qemu",
	 "the SMMUs behind the driver: a model in this process, or those of QEMU in a process of "
	 "its "
	 "own (model)"},
	{"iort", OPTION_TEXT, MACHINES | CMD_TOPOLOGY, AT(iort), OPTION_NONE, 0, 0, "FILE",
	 "read the machine from an ACPI IORT, or from the text of acpidump; packed by gzip or not; "
	 "- is "
	 "standard input"},
	{"dtb", OPTION_TEXT, MACHINES | CMD_TOPOLOGY, AT(dtb), OPTION_NONE, 0, 0, "FILE",
	 "read the machine from a flattened device tree; packed by gzip or not; - is standard "
	 "input"},
	{"idr0", OPTION_HEX32, CMD_DECODE, AT(ids.idr0), AT(ids.has_idr0), 0, 0, "HEX",
	 "IDR0 of the SMMU: with any of these it is said what is illegal for it"},
	{"idr1", OPTION_HEX32, CMD_DECODE, AT(ids.idr1), AT(ids.has_idr1), 0, 0, "HEX",
	 "IDR1 of it"},
	{"idr3", OPTION_HEX32, CMD_DECODE, AT(ids.idr3), AT(ids.has_idr3), 0, 0, "HEX",
	 "IDR3 of it"},
	{"idr5", OPTION_HEX32, CMD_DECODE, AT(ids.idr5), AT(ids.has_idr5), 0, 0, "HEX",
	 "IDR5 of it"},
	{"strict", OPTION_FLAG, CMD_DECODE, AT(strict), OPTION_NONE, 0, 0, NULL,
	 "refuse what is otherwise left out with a warning"},
	{"strict", OPTION_FLAG, MACHINES | CMD_TOPOLOGY, AT(strict), OPTION_NONE, 0, 0, NULL,
	 "refuse what is otherwise left out of a table or a trace with a warning"},
	{"all", OPTION_FLAG, MACHINES | CMD_TOPOLOGY, AT(all), OPTION_NONE, 0, 0, NULL,
	 "use SMMUs that the device tree disables too"},
	{"smmus", OPTION_NUMBER, MACHINES, AT(lab.smmus), AT(smmus_given), 1, 64, "N",
	 "or make up a machine with so many SMMUs (2)"},
	{"smmus", OPTION_NUMBER, CMD_TOPOLOGY, AT(lab.smmus), AT(smmus_given), 1,
	 SMMU_TOPOLOGY_MAX_SMMUS, "N", "or make up a machine with so many SMMUs (2)"},
	{"devices", OPTION_NUMBER, MACHINES, AT(lab.devices), AT(devices_given), 1, 1024, "N",
	 "so many devices on each SMMU (4); made up where a table has none"},
	{"devices", OPTION_NUMBER, CMD_TOPOLOGY, AT(lab.devices), AT(devices_given), 1,
	 SMMU_TOPOLOGY_MAX_DEVICES, "N", "so many streams on each SMMU (4)"},
	{"ats", OPTION_NUMBER, MACHINES, AT(lab.ats), AT(ats_given), 0, 1024, "N",
	 "so many of the devices on each SMMU use ATS (half; of a table those that it says can)"},
	{"domains", OPTION_NUMBER, CMD_RUN | CMD_ARRAYS, AT(lab.domains), OPTION_NONE, 1, 64, "N",
	 "domains, each shared over all SMMUs (2)"},
	{"stage", OPTION_STAGE, MACHINES, OPTION_NONE, OPTION_NONE, 0, 0, "1|2|nested|sva|1,2",
	 "the kind of the domains: stage 1, stage 2, guests with a stage 1 of their own over "
	 "stage 2, tables that somebody else owns for substreams, or a list of up to 8 that they "
	 "take in turn (1)"},
	{"threads", OPTION_NUMBER, CMD_RUN, AT(lab.threads), OPTION_NONE, 1, 64, "N",
	 "threads that call the driver (4)"},
	{"ops", OPTION_NUMBER64, CMD_RUN, AT(lab.ops), AT(ops_given), 1, 1000000000000, "N",
	 "stop after so many operations of all threads together (20000, or no limit with "
	 "--seconds)"},
	{"seconds", OPTION_NUMBER, CMD_RUN, AT(lab.seconds), OPTION_NONE, 1, 1000000, "N",
	 "stop after so many seconds of the run's clock. One second of the virtual clock is "
	 "some 700,000 operations, which take ten seconds or more to compute (no limit)"},
	{"seed", OPTION_NUMBER64, MACHINES, AT(lab.seed), OPTION_NONE, 0, UINT64_MAX, "N",
	 "where all chance begins. With the virtual clock the same seed and options repeat a run "
	 "exactly (1)"},
	{"seed", OPTION_NUMBER64, CMD_BENCH, AT(lab.seed), OPTION_NONE, 0, UINT64_MAX, "N",
	 "where all chance begins (1)"},
	{"clock", OPTION_CLOCK, CMD_RUN, OPTION_NONE, OPTION_NONE, 0, 0, "virtual|real",
	 "virtual: threads are simulated and times are exact; real: threads of the system, where a "
	 "seed repeats the input and not the order (virtual)"},
	{"interrupts", OPTION_FLAG, CMD_RUN, AT(lab.interrupts), OPTION_NONE, 0, 0, NULL,
	 "handlers interrupt threads at any point, on the same processor: they map and unmap, "
	 "serve GERROR "
	 "and take events; and threads pre-empt each other. With --clock real they are signals"},
	{"joins", OPTION_FLAG, CMD_RUN, AT(lab.joins), OPTION_NONE, 0, 0, NULL,
	 "threads do little else than to attach devices to domains that others unmap from, and "
	 "pre-empt each other in the middle of it"},
	{"resets", OPTION_FLAG, CMD_RUN, AT(lab.resets), OPTION_NONE, 0, 0, NULL,
	 "devices are reset while others unmap, come back after their ATC was silent, are pulled "
	 "out "
	 "and put back; those with substreams use ATS beside identity"},
	{"tables", OPTION_FLAG, CMD_RUN, AT(lab.tables), OPTION_NONE, 0, 0, NULL,
	 "blocks are split and joined while devices use them, parts of them are unmapped, and "
	 "empty tables go: no access may fault, by SMMUs of level 1 and 2 (IDR3.BBML)"},
	{"dirty", OPTION_FLAG, CMD_RUN, AT(lab.dirty), OPTION_NONE, 0, 0, NULL,
	 "the SMMUs mark what devices write (HTTU), threads ask for it, and no write may be "
	 "missing "
	 "from what they are told"},
	{"page-faults", OPTION_FLAG, CMD_RUN, AT(lab.page_faults), OPTION_NONE, 0, 0, NULL,
	 "accesses wait for a page: devices without ATS stall where the SMMU can choose, those "
	 "with ATS "
	 "send page requests, in groups; answered late, in any order, twice, or ended by the "
	 "driver"},
	{"life", OPTION_FLAG, CMD_RUN, AT(lab.life), OPTION_NONE, 0, 0, NULL,
	 "SMMUs are suspended and lose their power, are left to somebody else, passing or not, and "
	 "come "
	 "up again with streams that may not stop, are removed with all that is attached; some are "
	 "left with "
	 "their tables at the end, by which a next owner goes on"},
	{"adopt", OPTION_FLAG, CMD_RUN, AT(lab.adopt), OPTION_NONE, 0, 0, NULL,
	 "somebody else has each SMMU at first, and again now and then, with DMA of all its "
	 "devices "
	 "going on by tables of his; the driver adopts it, takes one device after the other over, "
	 "and none of their accesses may be lost"},
	{"non-coherent", OPTION_FLAG, CMD_RUN, AT(lab.non_coherent), OPTION_NONE, 0, 0, NULL,
	 "the SMMUs see memory only as it was cleaned, and processors what they wrote only after "
	 "an "
	 "invalidate; lines are evicted by chance besides"},
	{"design", OPTION_DESIGN, CMD_RUN | CMD_REPLAY, OPTION_NONE, OPTION_NONE, 0, 0,
	 "sweep|serial|list|flush",
	 "how unmaps are made safe: one sweep over all SMMUs at once; one SMMU and kind after the "
	 "other, as Linux 7.2; a list of devices under a lock, as Linux 6.12; or everything of "
	 "every "
	 "id, under one lock (sweep; replay: each in turn)"},
	{"cpu-rate", OPTION_NUMBER, CMD_REPLAY, AT(lab.cpu_rate), OPTION_NONE, 0, 1000000, "N",
	 "millions of instructions that the processor does in a second of the virtual clock, as "
	 "counted for each design; 0: it takes no time, and the clock shows the hardware's alone "
	 "(0)"},
	{"trace", OPTION_TEXT, CMD_BENCH, AT(trace), OPTION_NONE, 0, 0, "FILE",
	 "a trace as smmuv3 replay reads them, for trace"},
	{"cpu-rate", OPTION_NUMBER, CMD_BENCH, AT(lab.cpu_rate), OPTION_NONE, 1, 1000000, "N",
	 "millions of instructions that the processor does in a second of virtual time; what is "
	 "measured with it stands beside the hardware's time alone (3000)"},
	{"short", OPTION_FLAG, CMD_BENCH, AT(brief), OPTION_NONE, 0, 0, NULL,
	 "fewer and smaller steps"},
	{"inject", OPTION_INJECT, CMD_RUN | CMD_REPLAY, OPTION_NONE, OPTION_NONE, 0, 0,
	 "FAULT[:EVERY]",
	 "break something on purpose at every EVERY-th chance, 1 to 1,000,000,000; may be given up "
	 "to "
	 "16 times. smmuv3 run --help lists the faults"},
	{"timeline", OPTION_TEXT, CMD_RUN | CMD_REPLAY, AT(lab.timeline), OPTION_NONE, 0, 0, "FILE",
	 "write what each worker, queue, SMMU and ATC did when, as Chrome trace events in JSON, "
	 "which Perfetto "
	 "shows; up to a million of them; virtual clock; replay: of one design (sweep)"},
	{"timeline", OPTION_TEXT, CMD_BENCH, AT(lab.timeline), OPTION_NONE, 0, 0, "FILE",
	 "write what everybody did when in the unmap of instances on 16 SMMUs, as of smmuv3 run "
	 "--timeline"},
	{"dump", OPTION_FLAG, CMD_RUN, AT(dump), OPTION_NONE, 0, 0, NULL,
	 "at the end, let the driver say on standard error how its SMMUs and domains stand: "
	 "registers, queues, ids, operations, counters"},
	{"svg", OPTION_TEXT, CMD_TOPOLOGY | CMD_ARRAYS, AT(svg), OPTION_NONE, 0, 0, "FILE",
	 "draw it; - is standard output, which then gets nothing else"},
	{"dot", OPTION_TEXT, CMD_TOPOLOGY, AT(dot), OPTION_NONE, 0, 0, "FILE",
	 "write it as a graph for Graphviz"},
	{"svg", OPTION_TEXT, CMD_BENCH, AT(svg), OPTION_NONE, 0, 0, "DIR",
	 "draw each table as DIR/NAME.svg; needs gnuplot"},
	{"json", OPTION_TEXT, MACHINES | CMD_TOPOLOGY | CMD_DECODE | CMD_BENCH, AT(json),
	 OPTION_NONE, 0, 0, "FILE",
	 "write what was found as one JSON object; - is standard output, which then gets nothing "
	 "else"},
};

const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

#define INDENT 24

void options_print(FILE *out, enum command command)
{
	size_t i;

	for (i = 0; i < option_count; i++) {
		const struct option *opt = &option_table[i];
		char limits[80] = "", text[512];
		int n;

		if (!(opt->commands & command))
			continue;
		n = fprintf(out, "  --%s %s", opt->name, opt->value ? opt->value : "");
		fprintf(out, n < INDENT ? "%*s" : "\n%*s", n < INDENT ? INDENT - n : INDENT, "");
		if (opt->type == OPTION_NUMBER || opt->type == OPTION_NUMBER64)
			snprintf(limits, sizeof(limits), "; %" PRIu64 " to %" PRIu64, opt->min,
				 opt->max);
		snprintf(text, sizeof(text), "%s%s", opt->help, limits);
		output_wrap(out, text, INDENT, INDENT, OUTPUT_COLUMNS);
	}
	fprintf(out, "  --help%*sthis text\n", INDENT - 8, "");
}
