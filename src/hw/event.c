/* SPDX-License-Identifier: BSD-2-Clause */
/* Event records and PRI queue entries: encode, decode and text. */
#include "fields.h"

#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>

#define HAS(member) SMMU_EVENT_HAS_##member

#define HAS_FETCH_FAILED (HAS(SSID) | HAS(REASON) | HAS(FETCH))
#define HAS_ACCESS (HAS(SSID) | HAS(ADDR) | HAS(RNW) | HAS(ATTR))
#define HAS_FAULT (HAS_ACCESS | HAS(STAGE) | HAS(CLASS) | HAS(IPA) | HAS(STALL))

static const struct {
	const char *name;
	uint8_t type;
	uint16_t members;
} types[] = {
	{"F_UUT", SMMU_F_UUT, HAS_ACCESS | HAS(REASON)},
	{"C_BAD_STREAMID", SMMU_C_BAD_STREAMID, HAS(SSID)},
	{"F_STE_FETCH", SMMU_F_STE_FETCH, HAS_FETCH_FAILED},
	{"C_BAD_STE", SMMU_C_BAD_STE, HAS(SSID)},
	{"F_BAD_ATS_TREQ", SMMU_F_BAD_ATS_TREQ, HAS(SSID) | HAS(ADDR) | HAS(REQUEST)},
	{"F_STREAM_DISABLED", SMMU_F_STREAM_DISABLED, 0},
	{"F_TRANSL_FORBIDDEN", SMMU_F_TRANSL_FORBIDDEN, HAS(ADDR) | HAS(RNW)},
	{"C_BAD_SUBSTREAMID", SMMU_C_BAD_SUBSTREAMID, HAS(SSID)},
	{"F_CD_FETCH", SMMU_F_CD_FETCH, HAS_FETCH_FAILED},
	{"C_BAD_CD", SMMU_C_BAD_CD, HAS(SSID)},
	{"F_WALK_EABT", SMMU_F_WALK_EABT,
	 HAS_ACCESS | HAS(STAGE) | HAS(CLASS) | HAS(REASON) | HAS(FETCH)},
	{"F_TRANSLATION", SMMU_F_TRANSLATION, HAS_FAULT},
	{"F_ADDR_SIZE", SMMU_F_ADDR_SIZE, HAS_FAULT},
	{"F_ACCESS", SMMU_F_ACCESS, HAS_FAULT},
	{"F_PERMISSION", SMMU_F_PERMISSION, HAS_FAULT | HAS(TTRNW)},
	{"F_TLB_CONFLICT", SMMU_F_TLB_CONFLICT, HAS_ACCESS | HAS(STAGE) | HAS(IPA) | HAS(REASON)},
	{"F_CFG_CONFLICT", SMMU_F_CFG_CONFLICT, HAS(SSID) | HAS(REASON)},
	{"E_PAGE_REQUEST", SMMU_E_PAGE_REQUEST, HAS(SSID) | HAS(ADDR) | HAS(REQUEST)},
	{"F_VMS_FETCH", SMMU_F_VMS_FETCH, HAS_FETCH_FAILED},
};

unsigned smmu_event_members(unsigned type)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].members;
	return 0;
}

const char *smmu_event_name(unsigned type)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

/** F_TLB_CONFLICT and F_CFG_CONFLICT have a reason of 32 bits, the others one of 16. */
static uint64_t reason_mask(unsigned type)
{
	return type == SMMU_F_TLB_CONFLICT || type == SMMU_F_CFG_CONFLICT ? SMMU_EVENT_W1_REASON32
									  : SMMU_EVENT_W1_REASON16;
}

/** Requests concern whole pages. */
static uint64_t addr_mask(unsigned members)
{
	return members & HAS(REQUEST) ? SMMU_EVENT_W2_PAGE : SMMU_EVENT_W2_ADDR;
}

static const struct {
	uint64_t mask;
	uint8_t bit;
} treq_bits[] =
	{
		{SMMU_EVENT_W1_TREQ_R, SMMU_EVENT_REQUEST_R},
		{SMMU_EVENT_W1_TREQ_W, SMMU_EVENT_REQUEST_W},
		{SMMU_EVENT_W1_TREQ_X, SMMU_EVENT_REQUEST_X},
		{SMMU_EVENT_W1_TREQ_PRIV, SMMU_EVENT_REQUEST_PRIV},
},
  page_bits[] = {
	  {SMMU_EVENT_W1_PAGE_UR, SMMU_EVENT_REQUEST_R},
	  {SMMU_EVENT_W1_PAGE_UW, SMMU_EVENT_REQUEST_W},
	  {SMMU_EVENT_W1_PAGE_UX, SMMU_EVENT_REQUEST_X},
	  {SMMU_EVENT_W1_PAGE_PR, SMMU_EVENT_REQUEST_PR},
	  {SMMU_EVENT_W1_PAGE_PW, SMMU_EVENT_REQUEST_PW},
	  {SMMU_EVENT_W1_PAGE_PX, SMMU_EVENT_REQUEST_PX},
};

static void request_decode(uint64_t w, struct smmu_event *ev)
{
	if (ev->type == SMMU_F_BAD_ATS_TREQ) {
		ev->span = (uint8_t)smmu_field_get(SMMU_EVENT_W1_TREQ_SPAN, w);
		for (size_t i = 0; i < SMMU_ARRAY_SIZE(treq_bits); i++)
			if (w & treq_bits[i].mask)
				ev->request |= treq_bits[i].bit;
	} else {
		ev->span = (uint8_t)smmu_field_get(SMMU_EVENT_W1_PAGE_SPAN, w);
		for (size_t i = 0; i < SMMU_ARRAY_SIZE(page_bits); i++)
			if (w & page_bits[i].mask)
				ev->request |= page_bits[i].bit;
	}
}

static uint64_t request_encode(const struct smmu_event *ev)
{
	uint64_t w;

	if (ev->type == SMMU_F_BAD_ATS_TREQ) {
		w = smmu_field_prep(SMMU_EVENT_W1_TREQ_SPAN, ev->span);
		for (size_t i = 0; i < SMMU_ARRAY_SIZE(treq_bits); i++)
			if (ev->request & treq_bits[i].bit)
				w |= treq_bits[i].mask;
	} else {
		w = smmu_field_prep(SMMU_EVENT_W1_PAGE_SPAN, ev->span);
		for (size_t i = 0; i < SMMU_ARRAY_SIZE(page_bits); i++)
			if (ev->request & page_bits[i].bit)
				w |= page_bits[i].mask;
	}
	return w;
}

void smmu_event_decode(const struct smmu_event_record *rec, struct smmu_event *ev)
{
	const uint64_t *w = rec->w;
	unsigned type = (unsigned)smmu_field_get(SMMU_EVENT_W0_TYPE, w[0]);
	unsigned members = smmu_event_members(type);

	*ev = (struct smmu_event){.type = (uint8_t)type,
				  .sid = (uint32_t)smmu_field_get(SMMU_EVENT_W0_SID, w[0])};
	if (members & HAS(SSID)) {
		ev->ssv = type == SMMU_C_BAD_SUBSTREAMID || (w[0] & SMMU_EVENT_W0_SSV);
		if (ev->ssv)
			ev->ssid = (uint32_t)smmu_field_get(SMMU_EVENT_W0_SSID, w[0]);
	}
	if (members & HAS(ADDR))
		ev->addr = w[2] & addr_mask(members);
	if (members & HAS(RNW))
		ev->rnw = w[1] & SMMU_EVENT_W1_RNW;
	if (members & HAS(ATTR)) {
		ev->ind = w[1] & SMMU_EVENT_W1_IND;
		ev->pnu = w[1] & SMMU_EVENT_W1_PNU;
	}
	if (members & HAS(STAGE)) {
		ev->s2 = w[1] & SMMU_EVENT_W1_S2;
		ev->nsipa = w[1] & SMMU_EVENT_W1_NSIPA;
	}
	if (members & HAS(CLASS))
		ev->class = (uint8_t)smmu_field_get(SMMU_EVENT_W1_CLASS, w[1]);
	if (members & HAS(TTRNW))
		ev->ttrnw = w[1] & SMMU_EVENT_W1_TTRNW;
	if (members & HAS(STALL)) {
		ev->stall = w[1] & SMMU_EVENT_W1_STALL;
		ev->stag = (uint16_t)smmu_field_get(SMMU_EVENT_W1_STAG, w[1]);
		ev->impdef = (uint16_t)smmu_field_get(SMMU_EVENT_W1_IMPDEF, w[1]);
	}
	if (members & HAS(REASON))
		ev->reason = (uint32_t)smmu_field_get(reason_mask(type), w[1]);
	if (members & HAS(REQUEST))
		request_decode(w[1], ev);
	if (members & HAS(IPA))
		ev->ipa = w[3] & SMMU_EVENT_W3_IPA;
	if (members & HAS(FETCH)) {
		ev->fetch = w[3] & SMMU_EVENT_W3_FETCH;
		ev->gpcf = w[1] & SMMU_EVENT_W1_GPCF;
	}
}

void smmu_event_encode(const struct smmu_event *ev, struct smmu_event_record *rec)
{
	unsigned members = smmu_event_members(ev->type);
	uint64_t w0 = ev->type | (uint64_t)ev->sid << 32, w1 = 0, w2 = 0, w3 = 0;

	if (members & HAS(SSID)) {
		bool always = ev->type == SMMU_C_BAD_SUBSTREAMID;

		if (always || ev->ssv)
			w0 |= smmu_field_prep(SMMU_EVENT_W0_SSID, ev->ssid);
		if (!always && ev->ssv)
			w0 |= SMMU_EVENT_W0_SSV;
	}
	if (members & HAS(ADDR))
		w2 = ev->addr & addr_mask(members);
	if (members & HAS(RNW))
		w1 |= ev->rnw ? SMMU_EVENT_W1_RNW : 0;
	if (members & HAS(ATTR))
		w1 |= (ev->ind ? SMMU_EVENT_W1_IND : 0) | (ev->pnu ? SMMU_EVENT_W1_PNU : 0);
	if (members & HAS(STAGE))
		w1 |= (ev->s2 ? SMMU_EVENT_W1_S2 : 0) | (ev->nsipa ? SMMU_EVENT_W1_NSIPA : 0);
	if (members & HAS(CLASS))
		w1 |= smmu_field_prep(SMMU_EVENT_W1_CLASS, ev->class);
	if (members & HAS(TTRNW))
		w1 |= ev->ttrnw ? SMMU_EVENT_W1_TTRNW : 0;
	if (members & HAS(STALL))
		w1 |= (ev->stall ? SMMU_EVENT_W1_STALL : 0) |
		      smmu_field_prep(SMMU_EVENT_W1_STAG, ev->stag) |
		      smmu_field_prep(SMMU_EVENT_W1_IMPDEF, ev->impdef);
	if (members & HAS(REASON))
		w1 |= smmu_field_prep(reason_mask(ev->type), ev->reason);
	if (members & HAS(REQUEST))
		w1 |= request_encode(ev);
	if (members & HAS(IPA))
		w3 = ev->ipa & SMMU_EVENT_W3_IPA;
	if (members & HAS(FETCH)) {
		w3 = ev->fetch & SMMU_EVENT_W3_FETCH;
		w1 |= ev->gpcf ? SMMU_EVENT_W1_GPCF : 0;
	}
	*rec = (struct smmu_event_record){{w0, w1, w2, w3}};
}

void smmu_pri_decode(const struct smmu_pri_record *rec, struct smmu_pri *pri)
{
	const uint64_t *w = rec->w;
	bool ssv = w[0] & SMMU_PRI_W0_SSV;

	*pri = (struct smmu_pri){
		.addr = w[1] & SMMU_PRI_W1_ADDR,
		.sid = (uint32_t)smmu_field_get(SMMU_PRI_W0_SID, w[0]),
		.ssid = ssv ? (uint32_t)smmu_field_get(SMMU_PRI_W0_SSID, w[0]) : 0,
		.prgindex = (uint16_t)smmu_field_get(SMMU_PRI_W1_PRGINDEX, w[1]),
		.ssv = ssv,
		.last = w[0] & SMMU_PRI_W0_LAST,
		.read = w[0] & SMMU_PRI_W0_R,
		.write = w[0] & SMMU_PRI_W0_W,
		.exec = w[0] & SMMU_PRI_W0_X,
		.priv = w[0] & SMMU_PRI_W0_PRIV,
	};
}

void smmu_pri_encode(const struct smmu_pri *pri, struct smmu_pri_record *rec)
{
	uint64_t w0 = pri->sid;

	if (pri->ssv)
		w0 |= SMMU_PRI_W0_SSV | smmu_field_prep(SMMU_PRI_W0_SSID, pri->ssid);
	w0 |= (pri->last ? SMMU_PRI_W0_LAST : 0) | (pri->read ? SMMU_PRI_W0_R : 0) |
	      (pri->write ? SMMU_PRI_W0_W : 0) | (pri->exec ? SMMU_PRI_W0_X : 0) |
	      (pri->priv ? SMMU_PRI_W0_PRIV : 0);
	*rec = (struct smmu_pri_record){
		{w0, (pri->addr & SMMU_PRI_W1_ADDR) |
			     smmu_field_prep(SMMU_PRI_W1_PRGINDEX, pri->prgindex)}};
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
	smmu_field_emit(fn, ctx, "SID", ev.sid, NULL);
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
		smmu_field_emit(fn, ctx, "SSID", ev.ssid, NULL);
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
		smmu_field_emit(fn, ctx, "CLASS", ev.class, names_class[ev.class]);
	if ((members & HAS(TTRNW)) && ev.class == SMMU_EVENT_CLASS_TT)
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
					       .class = 3,
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
	SMMU_FIELD(0, SMMU_PRI_W0_SID, "SID", ID),
	SMMU_FIELD(0, SMMU_PRI_W0_SSV, "SSV", NUM),
	SMMU_FIELD(0, SMMU_PRI_W0_SSID, "SSID", NUM),
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
