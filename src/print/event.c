/* SPDX-License-Identifier: BSD-2-Clause */
/* Event records and PRI queue entries in words. */
#include "fields.h"

#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>

#define HAS(member) SMMU_EVENT_HAS_##member

static const struct {
	uint8_t type;
	const char *name;
} types[] = {
	{SMMU_F_UUT, "F_UUT"},
	{SMMU_C_BAD_STREAMID, "C_BAD_STREAMID"},
	{SMMU_F_STE_FETCH, "F_STE_FETCH"},
	{SMMU_C_BAD_STE, "C_BAD_STE"},
	{SMMU_F_BAD_ATS_TREQ, "F_BAD_ATS_TREQ"},
	{SMMU_F_STREAM_DISABLED, "F_STREAM_DISABLED"},
	{SMMU_F_TRANSL_FORBIDDEN, "F_TRANSL_FORBIDDEN"},
	{SMMU_C_BAD_SUBSTREAMID, "C_BAD_SUBSTREAMID"},
	{SMMU_F_CD_FETCH, "F_CD_FETCH"},
	{SMMU_C_BAD_CD, "C_BAD_CD"},
	{SMMU_F_WALK_EABT, "F_WALK_EABT"},
	{SMMU_F_TRANSLATION, "F_TRANSLATION"},
	{SMMU_F_ADDR_SIZE, "F_ADDR_SIZE"},
	{SMMU_F_ACCESS, "F_ACCESS"},
	{SMMU_F_PERMISSION, "F_PERMISSION"},
	{SMMU_F_TLB_CONFLICT, "F_TLB_CONFLICT"},
	{SMMU_F_CFG_CONFLICT, "F_CFG_CONFLICT"},
	{SMMU_E_PAGE_REQUEST, "E_PAGE_REQUEST"},
	{SMMU_F_VMS_FETCH, "F_VMS_FETCH"},
};

const char *smmu_event_name(unsigned type)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

static const char *const names_class[] = {"CD", "TT", "IN", smmu_field_reserved};

static const struct {
	uint8_t bit;
	const char *name;
} request_names[] = {
	{SMMU_EVENT_REQUEST_R, "R"},   {SMMU_EVENT_REQUEST_W, "W"},
	{SMMU_EVENT_REQUEST_X, "X"},   {SMMU_EVENT_REQUEST_PRIV, "Priv"},
	{SMMU_EVENT_REQUEST_PR, "pR"}, {SMMU_EVENT_REQUEST_PW, "pW"},
	{SMMU_EVENT_REQUEST_PX, "pX"},
};

const char *smmu_fields_event(const struct smmu_event_record *rec, smmu_field_fn *fn, void *ctx)
{
	struct smmu_event ev;
	struct smmu_event_record defined;
	unsigned members;
	const char *name;

	smmu_event_decode(rec, &ev);
	members = smmu_event_members(ev.type);
	name = smmu_event_name(ev.type);
	smmu_field_emit_hex(fn, ctx, "type", ev.type);
	smmu_field_emit_hex(fn, ctx, "SID", ev.sid);
	if (!name) {
		/* Nothing is known of the rest, so all of it is shown. */
		smmu_field_emit_hex(fn, ctx, "W0", rec->w[0]);
		smmu_field_emit_hex(fn, ctx, "W1", rec->w[1]);
		smmu_field_emit_hex(fn, ctx, "W2", rec->w[2]);
		smmu_field_emit_hex(fn, ctx, "W3", rec->w[3]);
		return ev.type >= SMMU_EVENT_IMPDEF_FIRST && ev.type <= SMMU_EVENT_IMPDEF_LAST
			       ? "IMPDEF_EVENT"
			       : "reserved event";
	}
	if (ev.ssv)
		smmu_field_emit_hex(fn, ctx, "SSID", ev.ssid);
	if (members & HAS(ADDR))
		smmu_field_emit_hex(fn, ctx, "InputAddr", ev.addr);
	if (members & HAS(RNW))
		smmu_field_emit(fn, ctx, "RnW", ev.rnw, ev.rnw ? "read" : "write");
	if (members & HAS(ATTR)) {
		smmu_field_emit(fn, ctx, "InD", ev.ind, ev.ind ? "instruction" : "data");
		smmu_field_emit(fn, ctx, "PnU", ev.pnu, ev.pnu ? "privileged" : "unprivileged");
	}
	if (members & HAS(REQUEST)) {
		smmu_field_emit(fn, ctx, "Span", ev.span, NULL);
		for (size_t i = 0; i < SMMU_ARRAY_SIZE(request_names); i++)
			if (ev.request & request_names[i].bit)
				smmu_field_emit(fn, ctx, request_names[i].name, 1, NULL);
	}
	if (members & HAS(STAGE)) {
		smmu_field_emit(fn, ctx, "S2", ev.s2, ev.s2 ? "stage-2" : "stage-1");
		if (ev.nsipa)
			smmu_field_emit(fn, ctx, "NSIPA", 1, NULL);
	}
	if (members & HAS(CLASS))
		smmu_field_emit(fn, ctx, "CLASS", ev.fault_class, names_class[ev.fault_class]);
	if ((members & HAS(TTRNW)) && ev.fault_class == SMMU_EVENT_CLASS_TT)
		smmu_field_emit(fn, ctx, "TTRnW", ev.ttrnw, ev.ttrnw ? "read" : "write");
	if ((members & HAS(IPA)) && ev.s2)
		smmu_field_emit_hex(fn, ctx, "IPA", ev.ipa);
	if (ev.stall) {
		smmu_field_emit(fn, ctx, "Stall", 1, NULL);
		smmu_field_emit(fn, ctx, "STAG", ev.stag, NULL);
	}
	if (ev.impdef)
		smmu_field_emit_hex(fn, ctx, "IMPDEF", ev.impdef);
	if (ev.reason)
		smmu_field_emit_hex(fn, ctx, "Reason", ev.reason);
	if (members & HAS(FETCH)) {
		smmu_field_emit_hex(fn, ctx, "FetchAddr", ev.fetch);
		if (ev.gpcf)
			smmu_field_emit(fn, ctx, "GPCF", 1, NULL);
	}
	/* What the type defines is what its encoder can set. */
	smmu_event_encode(&(struct smmu_event){.type = 0xff & ev.type,
					       .ssv = true,
					       .rnw = true,
					       .ind = true,
					       .pnu = true,
					       .s2 = true,
					       .nsipa = true,
					       .ttrnw = true,
					       .stall = true,
					       .gpcf = true,
					       .fault_class = 3,
					       .request = 0xff,
					       .span = 0xff,
					       .stag = UINT16_MAX,
					       .impdef = UINT16_MAX,
					       .reason = UINT32_MAX,
					       .sid = UINT32_MAX,
					       .ssid = UINT32_MAX,
					       .addr = UINT64_MAX,
					       .ipa = UINT64_MAX,
					       .fetch = UINT64_MAX},
			  &defined);
	defined.w[0] |= SMMU_EVENT_W0_TYPE;
	smmu_fields_rest(rec->w, defined.w, 4, fn, ctx);
	return name;
}

void smmu_print_event(struct smmu_text *t, const struct smmu_event_record *rec)
{
	smmu_text_str(t, smmu_fields_event(rec, smmu_field_drop, NULL));
	smmu_fields_event(rec, smmu_field_print, t);
}

static const struct smmu_field fields_pri[] = {
	SMMU_FIELD(0, SMMU_PRI_W0_SID, "SID", STREAM),
	SMMU_FIELD(0, SMMU_PRI_W0_SSV, "SSV", NUM),
	SMMU_FIELD(0, SMMU_PRI_W0_SSID, "SSID", STREAM_SET),
	SMMU_FIELD(1, SMMU_PRI_W1_ADDR, "Addr", ADDR),
	SMMU_FIELD(1, SMMU_PRI_W1_PRGINDEX, "PRGIndex", ID),
	SMMU_FIELD(0, SMMU_PRI_W0_LAST, "Last", NUM),
	SMMU_FIELD(0, SMMU_PRI_W0_R, "R", NUM),
	SMMU_FIELD(0, SMMU_PRI_W0_W, "W", NUM),
	SMMU_FIELD(0, SMMU_PRI_W0_X, "X", NUM),
	SMMU_FIELD(0, SMMU_PRI_W0_PRIV, "Priv", NUM),
};

const char *smmu_fields_pri(const struct smmu_pri_record *rec, smmu_field_fn *fn, void *ctx)
{
	struct smmu_pri_record defined = {{0, 0}};
	struct smmu_pri pri;

	smmu_pri_decode(rec, &pri);
	smmu_fields_walk(fields_pri, SMMU_ARRAY_SIZE(fields_pri), rec->w, NULL, fn, ctx);
	smmu_fields_defined(fields_pri, SMMU_ARRAY_SIZE(fields_pri), defined.w);
	smmu_fields_rest(rec->w, defined.w, 2, fn, ctx);
	return smmu_pri_is_stop(&pri) ? "PRI stop marker" : "PRI page request";
}

void smmu_print_pri(struct smmu_text *t, const struct smmu_pri_record *rec)
{
	smmu_text_str(t, smmu_fields_pri(rec, smmu_field_drop, NULL));
	smmu_fields_pri(rec, smmu_field_print, t);
}
