/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands say about themselves. The options come from their table, the faults from theirs. */
#include "commands.h"

#include <string.h>

#include "options.h"
#include "output.h"
#include "suite.h"

static const char run_intro[] = "usage: smmuv3 run [options]\n"
				"\n"
				"Brings SMMUs up with the library's driver, attaches devices to "
				"domains that all SMMUs share,\n"
				"and then lets everything happen at the same time: map, unmap, "
				"DMA, attach, detach, removal of\n"
				"whole SMMUs. Every DMA is judged by what the driver has promised "
				"at that moment. One that gets\n"
				"through a translation whose unmap is complete is \"stale\"; one "
				"that is refused although nothing\n"
				"about it was changing is \"lost\". Neither may ever be.\n";

static const char run_tail[] =
	"--device qemu starts QEMU 11.1 or later (tools/fetch-qemu.sh fetches one), whose SMMUs "
	"nobody\n"
	"here wrote, with devices that do DMA. It has up to 8 SMMUs with up to 7 devices each, no "
	"ATS, and\n"
	"a machine of its own (no --iort, --dtb). Its commands take no time, so times mean "
	"nothing; of the\n"
	"faults it shows drop-tlbi, drop-cfgi, wrong-id, wrong-instance, no-barrier, cmd-error "
	"and\n"
	"alloc-fail. SMMUV3_QEMU in the environment names a QEMU to use.\n"
	"\n"
	"Ctrl-C and SIGTERM end a run early, with the summary and the JSON of what was found so "
	"far.\n"
	"\n"
	"Exit status: 0 nothing stale and nothing lost; 1 a violation: which access, which cache "
	"held it,\n"
	"which operation was missing, and the seed (after 10 of them a run stops); 2 bad usage or "
	"bad input,\n"
	"or a fault that was asked for never struck, so that the run says nothing about it.\n"
	"\n"
	"Examples:\n"
	"  smmuv3 run --stage 1,2                     both kinds of domains on two SMMUs\n"
	"  smmuv3 run --stage nested --smmus 3        guests with virtual SMMUs\n"
	"  smmuv3 run --stage sva                     tables of processes, for substreams\n"
	"  smmuv3 run --stage 1,sva --page-faults     and pages that come when they are asked for\n"
	"  smmuv3 run --smmus 16 --ops 1000000        a large machine\n"
	"  smmuv3 run --inject drop-atc:50            see the judge at work\n"
	"  smmuv3 run --device qemu --stage 1,2       the same on somebody else's SMMUs\n";

static const char replay_intro[] =
	"usage: smmuv3 replay TRACE [options]\n"
	"\n"
	"Repeats the map and unmap calls of a real machine on domains that all SMMUs share, with "
	"DMA\n"
	"before and after each unmap, and judges them as `smmuv3 run` does. TRACE is text with the "
	"events\n"
	"iommu:map and iommu:unmap, plain or packed by gzip; - is standard input:\n"
	"\n"
	"  ftrace     echo 1 > /sys/kernel/tracing/events/iommu/map/enable\n"
	"             echo 1 > /sys/kernel/tracing/events/iommu/unmap/enable\n"
	"             … the work to record …\n"
	"             cat /sys/kernel/tracing/trace | gzip > nvme.trace.gz\n"
	"  trace-cmd  trace-cmd record -e iommu:map -e iommu:unmap COMMAND; trace-cmd report > "
	"FILE\n"
	"  perf       perf record -a -e iommu:map -e iommu:unmap COMMAND; perf script > FILE\n"
	"\n"
	"Other events are skipped. A trace may begin in the middle and hold several domains: they "
	"are told\n"
	"apart by what their lines name and by addresses that are mapped twice. What cannot be "
	"used is left\n"
	"out and counted. The memory that is taken does not grow with the length of a trace.\n"
	"\n"
	"Without --design it is replayed under each design, and a table compares commands and "
	"time.\n";

static const char replay_tail[] = "Exit status: as of `smmuv3 run`. Only a file of which nothing "
				  "can be used is refused, with the\n"
				  "reason, or with the command that makes a trace of it.\n";

static const char bench_intro[] =
	"usage: smmuv3 bench [NAME ...] [options]\n"
	"\n"
	"Measures the designs beside each other, and the parts that they rest on. Without a name, "
	"all of:\n";

static const char bench_tail[] =
	"Virtual times, counts and instructions are exact. Real times are the median of repeated "
	"runs, with\n"
	"the least and the most in brackets; compare them within one run only. Instructions are "
	"counted by\n"
	"valgrind; without it those tables are left out.\n"
	"\n"
	"Exit status: 0; 2 for bad usage, or if something that was named could not be measured.\n";

static void print_benchmarks(FILE *out)
{
	for (size_t i = 0; i < suite_count; i++)
		fprintf(out, "  %-16s  %s\n", suite_benchmarks[i].name, suite_benchmarks[i].what);
	fputc('\n', out);
}

static const char arrays_intro[] = "usage: smmuv3 arrays [options]\n"
				   "\n"
				   "Attaches devices as `smmuv3 run` does at its start and prints "
				   "the array of invalidation operations\n"
				   "of each domain: what a sweep follows, in its order. Devices "
				   "behind one SMMU share the operation\n"
				   "that clears its TLB, and \"users\" counts them; each stream "
				   "with ATS adds an operation of its own\n"
				   "after it.\n";

static const char arrays_tail[] = "Exit status: 0, or 2 for bad usage or bad input.\n";

static const char topology_intro[] =
	"usage: smmuv3 topology [--iort FILE | --dtb FILE | --smmus N --devices N] [options]\n"
	"\n"
	"Shows the SMMUv3 instances of a machine, and which device ids reach which of them as "
	"which\n"
	"stream; with interrupts, the model of the part, ATS, PRI, PASID widths, stalls, and "
	"memory that\n"
	"has to stay mapped. Other SMMUs, PMCGs and SMMUs that the firmware has disabled are "
	"named.\n"
	"\n"
	"As Linux does, an item of a table that is wrong is left out with a warning that says "
	"where it is\n"
	"and what was expected, and the rest is used; how many were left out is counted.\n";

static const char topology_tail[] =
	"Exit status: 0, or 2 for bad usage or bad input.\n"
	"\n"
	"Examples, on the machine itself:\n"
	"  smmuv3 topology --iort /sys/firmware/acpi/tables/IORT\n"
	"  acpidump | smmuv3 topology --iort -\n"
	"  smmuv3 topology --dtb /sys/firmware/fdt\n"
	"  dtc -I fs -O dtb /proc/device-tree | smmuv3 topology --dtb -\n"
	"Of sources: dtc -I dts -O dtb -o FILE.dtb FILE.dts; iasl FILE.dsl makes FILE.aml;\n"
	"fdtoverlay -i BASE.dtb -o WHOLE.dtb OVERLAY.dtbo applies an overlay.\n";

static const char decode_intro[] =
	"usage: smmuv3 decode [KIND] [options] [WORDS...]\n"
	"\n"
	"Says what is in a structure of an SMMUv3, what is unusual about it, and where IHI 0070 "
	"says so.\n"
	"KIND is one of\n"
	"\n"
	"  cmd     a command: 2 words              reg     a register: its name or offset, and its "
	"value\n"
	"  event   an event record: 4 words        pri     a page request: 2 words\n"
	"  ste     a stream table entry: 8 words   l1std   a level-1 stream table descriptor: 1 "
	"word\n"
	"  cd      a context descriptor: 8 words   l1cd    a level-1 context descriptor: 1 word\n"
	"\n"
	"and without it the kind is found. Words are 64 bits in hexadecimal, with or without 0x, "
	"lowest\n"
	"address first; twice as many of at most 8 digits are taken as 32-bit words.\n"
	"\n"
	"Without WORDS, whatever comes on standard input is looked through: kernel logs with their "
	"prefixes\n"
	"(events a word a line or in one line, skipped commands, errors and time-outs of the "
	"command queue,\n"
	"global errors), words of dumps, one structure a line or several lines a structure, and "
	"registers\n"
	"by the specification's or Linux's names. What is none of these is passed over.\n";

static const char decode_tail[] =
	"Exit status: 0; 2 for bad usage, bad WORDS, or if nothing could be decoded.\n"
	"\n"
	"Examples:\n"
	"  dmesg | smmuv3 decode                      what the SMMUs of this machine complained "
	"of\n"
	"  journalctl -k -b -1 | smmuv3 decode        … before the last boot\n"
	"  smmuv3 decode cmd 0x0005000000000012 0x0000000012345001\n"
	"  smmuv3 decode ste --idr0 0d44101b --idr5 54 0x0b 0x08000000 0 0 0 0 0 0\n"
	"  echo rd -64 ffff000801234040 8 | crash -s | smmuv3 decode ste      from a dump of the "
	"kernel\n"
	"  smmuv3 decode < registers.txt              lines such as ARM_SMMU_IDR0: 0x0d44101b\n";

static const struct help {
	enum command command;
	const char *name, *intro, *tail;
} helps[] = {
	{CMD_RUN, "run", run_intro, run_tail},
	{CMD_REPLAY, "replay", replay_intro, replay_tail},
	{CMD_ARRAYS, "arrays", arrays_intro, arrays_tail},
	{CMD_TOPOLOGY, "topology", topology_intro, topology_tail},
	{CMD_DECODE, "decode", decode_intro, decode_tail},
	{CMD_BENCH, "bench", bench_intro, bench_tail},
};

#define FAULT_INDENT 24u

static void print_faults(FILE *out, bool caught)
{
	char text[256];
	unsigned i;

	for (i = 0; i < FAULT_KINDS; i++) {
		const struct fault_info *f = &fault_info[i];

		if (f->caught != caught)
			continue;
		snprintf(text, sizeof(text), "%s:%u", f->name, f->every);
		fprintf(out, "  %-*s", (int)FAULT_INDENT - 2, text);
		snprintf(text, sizeof(text), "%s%s%s%s", f->what, f->missing ? " (missing: " : "",
			 f->missing ? f->missing : "", f->missing ? ")" : "");
		output_wrap(out, text, FAULT_INDENT, FAULT_INDENT, OUTPUT_COLUMNS);
	}
}

void help_print(FILE *out, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
		const struct help *h = &helps[i];

		if (strcmp(h->name, name))
			continue;
		fprintf(out, "%s\n", h->intro);
		if (h->command == CMD_BENCH)
			print_benchmarks(out);
		options_print(out, h->command);
		if (h->command == CMD_RUN) {
			fprintf(out, "\nFaults, each with the EVERY that it has when none is "
				     "given. The judge has "
				     "to catch each of\nthese, and say what was missing (exit "
				     "status 1):\n");
			print_faults(out, true);
			fprintf(out,
				"The driver has to survive each of these (exit status 0); a call "
				"that "
				"honestly returns\n-EIO, because an SMMU did not confirm, is no "
				"violation:\n");
			print_faults(out, false);
		}
		fprintf(out, "\n%s", h->tail);
	}
}
