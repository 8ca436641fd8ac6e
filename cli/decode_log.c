/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux's driver says in the kernel log, and what to make of it. */
#include "decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <smmuv3/hw/regs.h>

/* A line that is known by how it begins; remarks that are always the same. */
struct message {
	const char *begins, *name;
	enum smmu_remark_kind kind;
	const char *section, *text;
};

static const struct message messages[] = {
	{"CMDQ timeout", "CMDQ timeout", SMMU_REMARK_CAUSE, "7.1, 3.5",
	 "the command queue stayed full: the SMMU consumes nothing. Look at GERROR (CMDQ_ERR), "
	 "CR0.CMDQEN and whether the part has its clock and power"},
	{"EVTQ overflow detected", "EVTQ overflow", SMMU_REMARK_NOTE, "7.2, 7.4",
	 "events were lost: one device faults in a loop, or events are not taken out; the first "
	 "ones in the log say which stream"},
	{"PRIQ overflow detected", "PRIQ overflow", SMMU_REMARK_NOTE, "8.2",
	 "page requests were lost, and answered as failures: the PRI queue is too small or not "
	 "served"},
	{"device has entered Service Failure Mode", "Service Failure Mode", SMMU_REMARK_CAUSE,
	 "12.3",
	 "the SMMU met an error that it cannot survive and stopped: look at its RAS registers; it "
	 "needs a reset"},
	{"GERROR MSI write aborted", "GERROR MSI write aborted", SMMU_REMARK_CAUSE, "7.5",
	 "an MSI of the SMMU reached nobody: look at GERROR_IRQ_CFG0 and at the ITS's mapping of "
	 "the SMMU's own device id"},
	{"PRIQ MSI write aborted", "PRIQ MSI write aborted", SMMU_REMARK_CAUSE, "7.5",
	 "an MSI of the SMMU reached nobody: look at PRIQ_IRQ_CFG0"},
	{"EVTQ MSI write aborted", "EVTQ MSI write aborted", SMMU_REMARK_CAUSE, "7.5",
	 "an MSI of the SMMU reached nobody: look at EVENTQ_IRQ_CFG0"},
	{"CMDQ MSI write aborted", "CMDQ MSI write aborted", SMMU_REMARK_CAUSE, "7.5, 4.7.3",
	 "the MSI of a CMD_SYNC reached nobody: look at its MSIAddr and MSIAttr; waiting for it "
	 "times out"},
	{"PRIQ write aborted", "PRIQ write aborted", SMMU_REMARK_CAUSE, "7.5, 8.1",
	 "the SMMU could not write its PRI queue: look at PRIQ_BASE; page requests are lost"},
	{"EVTQ write aborted", "EVTQ write aborted", SMMU_REMARK_CAUSE, "7.5, 7.2",
	 "the SMMU could not write its event queue: look at EVENTQ_BASE; events are lost"},
	{"no more VMIDs", "no VMID left", SMMU_REMARK_CAUSE, "5.2 S2VMID",
	 "all VMIDs are in use: with IDR0.VMID16 = 0 there are 256"},
	{"failed to disable irqs", "IRQ_CTRLACK does not follow", SMMU_REMARK_CAUSE, "6.3.18",
	 "the SMMU does not acknowledge: its registers do not answer (clock, power, wrong "
	 "address)"},
	{"SMMU currently enabled! Resetting", "SMMU enabled at start", SMMU_REMARK_NOTE, "3.11",
	 "firmware left the SMMU on: DMA that goes on, a frame buffer say, is cut off unless its "
	 "memory is reserved (RMR)"},
	{"GBPA not responding to update", "GBPA does not follow", SMMU_REMARK_CAUSE, "6.3.15",
	 "Update stays 1: the SMMU does not answer (clock, power, wrong address)"},
};

static void one_remark(void *arg, smmu_remark_fn *fn, void *ctx)
{
	const struct message *m = arg;

	fn(ctx, &(struct smmu_remark){m->kind, m->text, m->section});
}

/* ---- command queue ---- */

static void cons_remarks(void *arg, smmu_remark_fn *fn, void *ctx)
{
	smmu_remarks_reg(SMMU_CMDQ_CONS, *(const uint32_t *)arg, fn, ctx);
}

/* "CMDQ error (cons 0x03000003): ATC invalidate timeout" */
static bool read_cmdq_error(struct decode *d, const char *text)
{
	static const char *const errors[] = {"CERROR_NONE", "CERROR_ILL", "CERROR_ABT",
					     "CERROR_ATC_INV_SYNC"};
	const char *p = strstr(text, "CMDQ error (cons 0x");
	unsigned err;
	uint32_t cons;
	char words[96];

	if (!p)
		return false;
	cons = (uint32_t)strtoul(p + strlen("CMDQ error (cons "), NULL, 16);
	err = (unsigned)smmu_field_get(SMMU_CMDQ_CONS_ERR, cons);
	if (err < SMMU_ARRAY_SIZE(errors))
		snprintf(words, sizeof(words), "RD=0x%" PRIx64 " ERR=%s",
			 smmu_field_get(SMMU_CMDQ_CONS_RD, cons), errors[err]);
	else
		snprintf(words, sizeof(words), "RD=0x%" PRIx64 " ERR=reserved(%u)",
			 smmu_field_get(SMMU_CMDQ_CONS_RD, cons), err);
	show_words(d, "CMDQ error", words, cons_remarks, &cons);
	return true;
}

struct sync_timeout {
	uint32_t at, prod, cons;
};

static void sync_remarks(void *arg, smmu_remark_fn *fn, void *ctx)
{
	const struct sync_timeout *s = arg;
	unsigned err = (unsigned)smmu_field_get(SMMU_CMDQ_CONS_ERR, s->cons);

	fn(ctx, &(struct smmu_remark){
			SMMU_REMARK_CAUSE,
			"a CMD_SYNC did not complete in time, so invalidations may not have "
			"taken effect: what they were for must not be reused",
			"4.7.3"});
	if (err)
		smmu_remarks_reg(SMMU_CMDQ_CONS, s->cons, fn, ctx);
	else if (!s->cons)
		fn(ctx,
		   &(struct smmu_remark){
			   SMMU_REMARK_CAUSE,
			   "hwcons is 0: the SMMU has consumed nothing since it was set up, or has "
			   "lost its "
			   "registers. Look at CR0.CMDQEN, at clock and power, and at CMDQ_BASE",
			   "7.1, 6.3.27"});
	else if (s->cons == s->prod)
		fn(ctx, &(struct smmu_remark){
				SMMU_REMARK_CAUSE,
				"hwcons has reached hwprod: all was consumed, so the completion "
				"itself is lost. Look at "
				"the MSI of the CMD_SYNC (MSIAddr, MSIAttr) or the wired interrupt",
				"4.7.3"});
	else
		fn(ctx, &(struct smmu_remark){SMMU_REMARK_CAUSE,
					      "hwcons is behind hwprod: the SMMU stands at the "
					      "command there. Look at GERROR "
					      "(CMDQ_ERR), and for an ATC_INV before it to a "
					      "device that does not answer",
					      "7.1, 3.9.1.4"});
}

/* "CMD_SYNC timeout at 0x00000146 [hwprod 0x00000146, hwcons 0x00000000]" */
static bool read_sync_timeout(struct decode *d, const char *text)
{
	const char *p = strstr(text, "CMD_SYNC timeout");
	struct sync_timeout s = {0};
	const char *at;
	char words[96];

	if (!p)
		return false;
	at = strstr(p, " at 0x");
	if (at)
		s.at = (uint32_t)strtoul(at + 4, NULL, 16);
	at = strstr(p, "hwprod ");
	if (at)
		s.prod = (uint32_t)strtoul(at + strlen("hwprod "), NULL, 16);
	at = strstr(p, "hwcons ");
	if (at)
		s.cons = (uint32_t)strtoul(at + strlen("hwcons "), NULL, 16);
	snprintf(words, sizeof(words), "at=0x%" PRIx32 " hwprod=0x%" PRIx32 " hwcons=0x%" PRIx32,
		 s.at, s.prod, s.cons);
	show_words(d, "CMD_SYNC timeout", words, sync_remarks, &s);
	return true;
}

/* "unexpected global error reported (0x00000001), this could be serious" */
static bool read_gerror(struct decode *d, const char *text)
{
	const char *p = strstr(text, "global error reported (0x");
	union structure s = {.reg = {.offset = SMMU_GERROR}};

	if (!p)
		return false;
	s.reg.value = strtoul(p + strlen("global error reported ("), NULL, 16) & UINT32_MAX;
	show_structure(d, KIND_REG, &s);
	return true;
}

/* ---- events ---- */

static void type_remarks(void *arg, smmu_remark_fn *fn, void *ctx)
{
	smmu_remarks_event_type(*(const unsigned *)arg, fn, ctx);
}

/* The value behind @name in @text, up to a blank: its length, or 0. */
static size_t value_of(const char *text, const char *name, const char **value)
{
	const char *p = strstr(text, name);

	if (!p)
		return 0;
	p += strlen(name);
	/* "(unassigned sid)": one word of it will do. */
	p += strspn(p, " (");
	*value = p;
	return strcspn(p, " ,\t\r\n");
}

/* "event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0x1000 ipa: 0x0" */
static bool read_event_line(struct decode *d, const char *text)
{
	static const struct {
		const char *in, *out;
	} fields[] = {{" client:", "client"},  {" sid:", "SID"}, {" ssid:", "SSID"},
		      {" iova:", "InputAddr"}, {" ipa:", "IPA"}, {" fetch_addr:", "FetchAddr"}};
	const char *value, *p = strstr(text, "event: ");
	char name[40], words[400];
	unsigned type;
	size_t len, n = 0, i;

	if (!p || strncmp(text, "event: ", 7) != 0 || !strstr(p, " sid:"))
		return false;
	len = strcspn(p + 7, " ");
	if (!len || len >= sizeof(name))
		return false;
	memcpy(name, p + 7, len);
	name[len] = '\0';
	for (type = 0; type < 256; type++)
		if (smmu_event_name(type) && !strcmp(smmu_event_name(type), name))
			break;
	words[0] = '\0';
	for (i = 0; i < SMMU_ARRAY_SIZE(fields) && n < sizeof(words) - 1; i++) {
		len = value_of(text, fields[i].in, &value);
		if (len && len < 80)
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s=%.*s",
					      n ? " " : "", fields[i].out, (int)len, value);
	}
	show_words(d, name, words, type_remarks, &type);
	return true;
}

enum log_line log_read(struct decode *d, const char *text)
{
	size_t i;

	if (!strncmp(text, "event 0x", 8) && strstr(text, "received"))
		return LOG_EVENT;
	if (strstr(text, "skipping command in error state"))
		return LOG_COMMAND;
	if (read_cmdq_error(d, text) || read_sync_timeout(d, text) || read_gerror(d, text) ||
	    read_event_line(d, text))
		return LOG_DONE;
	for (i = 0; i < SMMU_ARRAY_SIZE(messages); i++) {
		if (strncmp(text, messages[i].begins, strlen(messages[i].begins)) != 0)
			continue;
		show_words(d, messages[i].name, "", one_remark, (void *)(uintptr_t)&messages[i]);
		return LOG_DONE;
	}
	return LOG_NOTHING;
}
