/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command says about itself. */
#include "commands.h"

#include <string.h>
#include <stddef.h>

#define TOPOLOGY_OPTIONS                                                      \
	"  --smmus N          make up a machine with so many SMMUs (2) …\n" \
	"  --devices N        … and so many devices on each (4)\n"          \
	"  --iort FILE        or read the machine from an ACPI IORT,\n"       \
	"  --dtb FILE         or from a flattened device tree\n"              \
	"  --ats N            so many of the devices on each SMMU use ATS (half)\n"

#define FAULT_TEXT                                                                                 \
	"The judge has to catch each of these (exit status 1):\n"                                  \
	"  drop-tlbi          a TLB invalidation is lost on its way        missing: tlbi\n"        \
	"  drop-atc           an ATC invalidation is lost                  missing: atc_inv\n"     \
	"  drop-cfgi          a configuration invalidation is lost         missing: cfgi\n"        \
	"  drop-sync          a CMD_SYNC is answered too early             missing: sync\n"        \
	"  wrong-id           an invalidation names another ASID, VMID     missing: tlbi with "    \
	"asid N,\n"                                                                                \
	"                     or stream                                      tlbi with vmid N,\n"  \
	"                                                                    atc_inv of stream "   \
	"N\n"                                                                                      \
	"  wrong-instance     an invalidation goes to another SMMU         missing: tlbi on smmu " \
	"N,\n"                                                                                     \
	"                                                                    atc_inv on smmu N\n"  \
	"  atc-first          ATC invalidations overtake the TLB ones      missing: tlbi before "  \
	"atc_inv\n"                                                                                \
	"  early-free         a table is freed before the fence is done    missing: sync before "  \
	"free\n"                                                                                   \
	"  no-barrier         the barrier of sweep and attach is left out  missing: barrier\n"     \
	"The driver has to survive each of these (exit status 0):\n"                               \
	"  atc-timeout        a device stops answering ATC invalidations, until it is reset\n"     \
	"  cmd-error          a command arrives damaged\n"                                         \
	"  cmd-abort          fetching a command aborts\n"                                         \
	"  slow-sync          a CMD_SYNC takes 100 to 1000 times as long\n"                        \
	"  event-overflow     the event queue is filled up\n"                                      \
	"  alloc-fail         an allocation fails\n"

#define QEMU_TEXT                                                                                 \
	"--device qemu starts QEMU 11.1 or later (tools/fetch-qemu.sh fetches one), whose SMMUs " \
	"nobody\n"                                                                                \
	"here wrote, with devices that do DMA. It has up to 8 SMMUs with up to 7 devices each, "  \
	"no "                                                                                     \
	"ATS,\n"                                                                                  \
	"and a machine of its own (no --iort, --dtb). Its commands take no time, so times mean\n" \
	"nothing; of the faults it shows drop-tlbi, drop-cfgi, wrong-id, wrong-instance, "        \
	"no-barrier,\n"                                                                           \
	"cmd-error and alloc-fail. SMMUV3_QEMU in the environment names a QEMU to use.\n"

static const char run[] =
	"usage: smmuv3 run [options]\n"
	"\n"
	"Brings SMMUs up with the library's driver, attaches devices to domains that all SMMUs\n"
	"share, and then lets everything happen at the same time: map, unmap, DMA, attach, "
	"detach,\n"
	"removal of whole SMMUs. Every DMA is judged by what the driver has promised at that\n"
	"moment. One that gets through a translation whose unmap is complete is \"stale\"; one "
	"that\n"
	"is refused although nothing about it was changing is \"lost\". Neither may ever be.\n"
	"\n"
	"  --device model     the SMMUs behind the driver: a model in this process (model)\n"
	"  --device qemu        or those of QEMU, in a process of its own; see "
	"below\n" TOPOLOGY_OPTIONS "  --domains N        domains, shared over all SMMUs (2)\n"
	"  --stage 1|2|1,2    their kind: stage 1, stage 2, or a list that they take in turn (1)\n"
	"  --threads N        threads that call the driver (4)\n"
	"  --ops N            stop after so many operations (20000)\n"
	"  --seconds S        stop after so much time of the run's clock\n"
	"  --seed N           another run; the same seed repeats one exactly (1)\n"
	"  --clock virtual    threads are simulated, time is exact (default)\n"
	"  --clock real       real threads, real time; a seed repeats the input, not the order\n"
	"  --design sweep     how unmaps are made safe: one sweep, all SMMUs at once (sweep),\n"
	"  --design serial      or one SMMU and kind after the other, as Linux 7.2 does,\n"
	"  --design list        or with a list of devices under a lock, as Linux 6.12,\n"
	"  --design flush       or everything of every id, under one lock\n"
	"  --inject FAULT[:EVERY]\n"
	"                     break something on purpose at every EVERY-th chance; may repeat\n"
	"  --json FILE        write what was found as one JSON object; - is standard output\n"
	"\n" FAULT_TEXT "\n" QEMU_TEXT "\n"
	"Exit status: 0 nothing stale and nothing lost; 1 a violation: which access, which cache\n"
	"held it, which operation was missing, and the seed; 2 bad usage or bad input.\n"
	"\n"
	"Examples:\n"
	"  smmuv3 run --stage 1,2                     both kinds of domains on two SMMUs\n"
	"  smmuv3 run --smmus 16 --ops 1000000        a large machine\n"
	"  smmuv3 run --inject drop-atc:50            see the judge at work\n"
	"  smmuv3 run --device qemu --stage 1,2       the same on somebody else's SMMUs\n";

static const char replay[] =
	"usage: smmuv3 replay TRACE [options]\n"
	"\n"
	"Repeats the map and unmap calls of a real machine on one domain that all SMMUs share,\n"
	"with DMA before and after each unmap, and judges them as `smmuv3 run` does. TRACE is "
	"text\n"
	"of ftrace with the events iommu:map and iommu:unmap, plain or compressed by gzip:\n"
	"\n"
	"  echo 1 > /sys/kernel/tracing/events/iommu/map/enable\n"
	"  echo 1 > /sys/kernel/tracing/events/iommu/unmap/enable\n"
	"  … the work to record …\n"
	"  cat /sys/kernel/tracing/trace | gzip > nvme.trace.gz\n"
	"\n"
	"Without --design it is replayed under each design, and a table compares commands and "
	"time.\n"
	"\n"
	"  --device model     the SMMUs behind the driver: a model in this process (model)\n"
	"  --device qemu        or those of QEMU; smmuv3 run --help says more\n" TOPOLOGY_OPTIONS
	"  --stage 1|2        the kind of the domain (1)\n"
	"  --seed N           another choice of devices and DMA (1)\n"
	"  --design sweep|serial\n"
	"                     replay under this design alone\n"
	"  --inject FAULT[:EVERY]\n"
	"                     break something on purpose: smmuv3 run --help lists the faults\n"
	"  --json FILE        write what was found as one JSON object; - is standard output\n"
	"\n"
	"Exit status: as of `smmuv3 run`. A line that is no such event, or does not fit the lines\n"
	"before it, ends the replay with status 2 and its number.\n";

static const char arrays[] =
	"usage: smmuv3 arrays [options]\n"
	"\n"
	"Attaches devices as `smmuv3 run` does at its start and prints the array of invalidation\n"
	"operations of each domain: what a sweep follows, in its order. Devices behind one SMMU\n"
	"share the operation that clears its TLB, and \"users\" counts them; each stream with ATS\n"
	"adds an operation of its own after it.\n"
	"\n" TOPOLOGY_OPTIONS "  --domains N        domains, shared over all SMMUs (2)\n"
	"  --stage 1|2|1,2    their kind: stage 1, stage 2, or a list that they take in turn (1)\n"
	"  --seed N           of the model (1)\n"
	"  --json FILE        write them as one JSON object; - is standard output\n"
	"\n"
	"Exit status: 0, or 2 for bad usage or bad input.\n";

const char *help_of(const char *name)
{
	if (!strcmp(name, "run"))
		return run;
	if (!strcmp(name, "replay"))
		return replay;
	return !strcmp(name, "arrays") ? arrays : NULL;
}
