/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the faults and how often they strike when nobody says. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include "sim_port.h"

const struct fault_info fault_info[FAULT_KINDS] = {
	[FAULT_DROP_TLBI] = {.name = "drop-tlbi",
			     .caught = true,
			     .every = 20,
			     .what = "a TLB invalidation never reaches the SMMU",
			     .missing = "tlbi"},
	[FAULT_DROP_ATC] = {.name = "drop-atc",
			    .caught = true,
			    .every = 20,
			    .what = "an ATC invalidation never reaches the SMMU",
			    .missing = "atc_inv"},
	[FAULT_DROP_CFGI] = {.name = "drop-cfgi",
			     .caught = true,
			     .every = 5,
			     .what = "a configuration invalidation never reaches the SMMU",
			     .missing = "cfgi"},
	[FAULT_DROP_SYNC] =
		{.name = "drop-sync",
		 .caught = true,
		 .every = 5,
		 .what = "a CMD_SYNC is answered before what stands before it took effect",
		 .missing = "sync"},
	[FAULT_WRONG_ID] = {.name = "wrong-id",
			    .caught = true,
			    .every = 20,
			    .what = "an invalidation names another ASID, VMID or stream",
			    .missing = "tlbi with asid N, tlbi with vmid N, atc_inv of stream N"},
	[FAULT_WRONG_INSTANCE] =
		{.name = "wrong-instance",
		 .caught = true,
		 .every = 20,
		 .what = "an invalidation goes to another SMMU than the one it is for",
		 .missing = "tlbi on smmu N, atc_inv on smmu N"},
	[FAULT_ATC_FIRST] = {.name = "atc-first",
			     .caught = true,
			     .every = 1,
			     .what = "ATC invalidations overtake the TLB ones",
			     .missing = "tlbi before atc_inv"},
	[FAULT_EARLY_FREE] =
		{.name = "early-free",
		 .caught = true,
		 .every = 1,
		 .what = "removed tables are freed and reused before the fence is done",
		 .missing = "sync before free"},
	[FAULT_NO_BARRIER] = {.name = "no-barrier",
			      .caught = true,
			      .every = 1,
			      .what = "the barriers of map, unmap and attach do nothing",
			      .missing = "barrier"},
	[FAULT_DROP_CLEAN] =
		{.name = "drop-clean",
		 .caught = true,
		 .every = 20,
		 .what = "what was stored is not written back for an SMMU that is not coherent",
		 .missing = "clean"},
	[FAULT_TORN_PAIR] = {.name = "torn-pair",
			     .caught = true,
			     .every = 1,
			     .what = "the driver is told of FEAT_LSE2, but 16 bytes are stored and "
				     "read in two pieces",
			     .missing = "atomicity"},
	[FAULT_NO_QUIRK] =
		{.name = "no-quirk",
		 .caught = true,
		 .every = 1,
		 .what = "the driver is not told of the errata that some of 7 SMMUs and more have",
		 .missing = "quirk"},
	[FAULT_ATC_TIMEOUT] =
		{.name = "atc-timeout",
		 .every = 2000,
		 .what = "a device stops answering ATC invalidations until it is reset"},
	[FAULT_CMD_ERROR] = {.name = "cmd-error",
			     .no_confirm = true,
			     .every = 2000,
			     .what = "a command arrives damaged (CERROR_ILL)"},
	[FAULT_CMD_ABORT] = {.name = "cmd-abort",
			     .no_confirm = true,
			     .every = 500,
			     .what = "fetching a command aborts (CERROR_ABT)"},
	[FAULT_SLOW_SYNC] = {.name = "slow-sync",
			     .every = 100,
			     .what = "a CMD_SYNC takes 100 to 1000 times as long"},
	[FAULT_EVENT_OVERFLOW] = {.name = "event-overflow",
				  .every = 100,
				  .what = "the event queue is filled up"},
	[FAULT_ALLOC_FAIL] = {.name = "alloc-fail", .every = 50, .what = "an allocation fails"},
	[FAULT_ATC_SLOW] =
		{.name = "atc-slow",
		 .no_confirm = true,
		 .every = 2000,
		 .what = "an ATC takes up to 90 s to answer; the SMMU gives it up after 60 s"},
	[FAULT_PAUSE] = {.name = "pause",
			 .no_confirm = true,
			 .every = 10000,
			 .what = "an SMMU stops for longer than any time-out, and then goes on"},
	[FAULT_QUEUE_DEAD] = {.name = "queue-dead",
			      .no_confirm = true,
			      .every = 10000,
			      .what = "an SMMU takes no command any more, until it is revived"},
	[FAULT_DIRTY_START] =
		{.name = "dirty-start",
		 .every = 1,
		 .what = "an SMMU is brought up as a former owner left it, with DMA going on"},
	[FAULT_ADOPT_CORRUPT] =
		{.name = "adopt-corrupt",
		 .every = 2,
		 .what = "an STE, a CD or a table of a former owner is overwritten before its SMMU "
			 "is adopted (needs --adopt)"},
};

const char *fault_not_on_qemu(enum fault_id id)
{
	switch (id) {
	case FAULT_DROP_ATC:
	case FAULT_ATC_FIRST:
	case FAULT_ATC_TIMEOUT:
	case FAULT_ATC_SLOW:
		return "it has no ATS";
	case FAULT_DROP_SYNC:
	case FAULT_SLOW_SYNC:
		return "it carries out each command at once";
	case FAULT_EARLY_FREE:
		return "its walks end at once, and it caches none of their steps";
	case FAULT_CMD_ABORT:
	case FAULT_EVENT_OVERFLOW:
	case FAULT_DROP_CLEAN:
	case FAULT_TORN_PAIR:
	case FAULT_PAUSE:
	case FAULT_QUEUE_DEAD:
	case FAULT_DIRTY_START:
	case FAULT_ADOPT_CORRUPT:
	case FAULT_NO_QUIRK:
		return "only the model can be made to do that";
	default:
		return NULL;
	}
}

int fault_parse(const char *text, struct fault_request *out)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	unsigned i;

	for (i = 0; i < FAULT_KINDS; i++) {
		if (strlen(fault_info[i].name) == len && !memcmp(fault_info[i].name, text, len))
			break;
	}
	if (i == FAULT_KINDS)
		return -1;
	out->id = (enum fault_id)i;
	out->every = fault_info[i].every;
	out->barrier = NULL;
	if (colon && i == FAULT_NO_BARRIER && (colon[1] < '0' || colon[1] > '9')) {
		unsigned n = 0;

		while (sim_barrier_names[n] && strcmp(sim_barrier_names[n], colon + 1))
			n++;
		out->barrier = sim_barrier_names[n];
		return out->barrier ? 0 : -1;
	}
	if (colon) {
		char *end;
		unsigned long n = strtoul(colon + 1, &end, 10);

		if (colon[1] < '0' || colon[1] > '9' || *end || n < 1 || n > 1000000000ul)
			return -1;
		out->every = (unsigned)n;
	}
	return 0;
}
