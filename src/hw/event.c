/* SPDX-License-Identifier: BSD-2-Clause */
/* Event records and PRI queue entries: encode and decode. */
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>

#define HAS(member) SMMU_EVENT_HAS_##member

#define HAS_FETCH_FAILED (HAS(SSID) | HAS(REASON) | HAS(FETCH))
#define HAS_ACCESS (HAS(SSID) | HAS(ADDR) | HAS(RNW) | HAS(ATTR))
#define HAS_FAULT (HAS_ACCESS | HAS(STAGE) | HAS(CLASS) | HAS(IPA) | HAS(STALL))

static const struct {
	uint8_t type;
	uint16_t members;
} types[] = {
	{SMMU_F_UUT, HAS_ACCESS | HAS(REASON)},
	{SMMU_C_BAD_STREAMID, HAS(SSID)},
	{SMMU_F_STE_FETCH, HAS_FETCH_FAILED},
	{SMMU_C_BAD_STE, HAS(SSID)},
	{SMMU_F_BAD_ATS_TREQ, HAS(SSID) | HAS(ADDR) | HAS(REQUEST)},
	{SMMU_F_STREAM_DISABLED, 0},
	{SMMU_F_TRANSL_FORBIDDEN, HAS(ADDR) | HAS(RNW)},
	{SMMU_C_BAD_SUBSTREAMID, HAS(SSID)},
	{SMMU_F_CD_FETCH, HAS_FETCH_FAILED},
	{SMMU_C_BAD_CD, HAS(SSID)},
	{SMMU_F_WALK_EABT, HAS_ACCESS | HAS(STAGE) | HAS(CLASS) | HAS(REASON) | HAS(FETCH)},
	{SMMU_F_TRANSLATION, HAS_FAULT},
	{SMMU_F_ADDR_SIZE, HAS_FAULT},
	{SMMU_F_ACCESS, HAS_FAULT},
	{SMMU_F_PERMISSION, HAS_FAULT | HAS(TTRNW)},
	{SMMU_F_TLB_CONFLICT, HAS_ACCESS | HAS(STAGE) | HAS(IPA) | HAS(REASON)},
	{SMMU_F_CFG_CONFLICT, HAS(SSID) | HAS(REASON)},
	{SMMU_E_PAGE_REQUEST, HAS(SSID) | HAS(ADDR) | HAS(REQUEST)},
	{SMMU_F_VMS_FETCH, HAS_FETCH_FAILED},
};

unsigned smmu_event_members(unsigned type)
{
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].members;
	return 0;
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
		ev->fault_class = (uint8_t)smmu_field_get(SMMU_EVENT_W1_CLASS, w[1]);
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
		w1 |= smmu_field_prep(SMMU_EVENT_W1_CLASS, ev->fault_class);
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
