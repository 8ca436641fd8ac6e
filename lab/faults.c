/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the faults and how often they strike when nobody says. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

const struct fault_info fault_info[FAULT_KINDS] = {
	[FAULT_DROP_TLBI] = {"drop-tlbi", true, 20, "a TLB invalidation never reaches the SMMU"},
	[FAULT_DROP_ATC] = {"drop-atc", true, 20, "an ATC invalidation never reaches the SMMU"},
	[FAULT_DROP_CFGI] = {"drop-cfgi", true, 5,
			     "a configuration invalidation never reaches the SMMU"},
	[FAULT_DROP_SYNC] = {"drop-sync", true, 5,
			     "a CMD_SYNC is answered before what stands before it took effect"},
	[FAULT_WRONG_ID] = {"wrong-id", true, 20,
			    "an invalidation names another ASID, VMID or stream"},
	[FAULT_WRONG_INSTANCE] = {"wrong-instance", true, 20,
				  "an invalidation goes to another SMMU than the one it is for"},
	[FAULT_ATC_FIRST] = {"atc-first", true, 1, "ATC invalidations overtake the TLB ones"},
	[FAULT_EARLY_FREE] = {"early-free", true, 1,
			      "removed tables are freed and reused before the fence is done"},
	[FAULT_NO_BARRIER] = {"no-barrier", true, 1,
			      "the array is published, or looked at, without the barrier"},
	[FAULT_ATC_TIMEOUT] = {"atc-timeout", false, 2000,
			       "a device stops answering ATC invalidations until it is reset"},
	[FAULT_CMD_ERROR] = {"cmd-error", false, 2000, "a command arrives damaged (CERROR_ILL)"},
	[FAULT_CMD_ABORT] = {"cmd-abort", false, 500, "fetching a command aborts (CERROR_ABT)"},
	[FAULT_SLOW_SYNC] = {"slow-sync", false, 100, "a CMD_SYNC takes 100 to 1000 times as long"},
	[FAULT_EVENT_OVERFLOW] = {"event-overflow", false, 100, "the event queue is filled up"},
	[FAULT_ALLOC_FAIL] = {"alloc-fail", false, 50, "an allocation fails"},
};

const char *fault_not_on_qemu(enum fault_id id)
{
	switch (id) {
	case FAULT_DROP_ATC:
	case FAULT_ATC_FIRST:
	case FAULT_ATC_TIMEOUT:
		return "it has no ATS";
	case FAULT_DROP_SYNC:
	case FAULT_SLOW_SYNC:
		return "it carries out each command at once";
	case FAULT_EARLY_FREE:
		return "its walks end at once, and it caches none of their steps";
	case FAULT_CMD_ABORT:
	case FAULT_EVENT_OVERFLOW:
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
	if (colon) {
		char *end;
		unsigned long n = strtoul(colon + 1, &end, 10);

		if (colon[1] < '0' || colon[1] > '9' || *end || n < 1 || n > 1000000000ul)
			return -1;
		out->every = (unsigned)n;
	}
	return 0;
}
