/* SPDX-License-Identifier: BSD-2-Clause */
/* Remarks on events: what may have led to each (7.3). */
#include "remark.h"

#include <smmuv3/hw/event.h>

static const struct {
	uint8_t type;
	const char *section, *text;
} causes[] = {
	{SMMU_F_UUT, "7.3.2, 16.7.1",
	 "the device made a transaction of a type that the SMMU does not take; Reason is the "
	 "part's own"},
	{SMMU_C_BAD_STREAMID, "7.3.3",
	 "the stream is beyond STRTAB_BASE_CFG.LOG2SIZE, or its level-1 descriptor is not valid: a "
	 "device "
	 "that nobody attached, or a wrong stream in the firmware's table"},
	{SMMU_F_STE_FETCH, "7.3.4",
	 "reading the STE was aborted: look at STRTAB_BASE, the level-1 descriptor and FetchAddr"},
	{SMMU_C_BAD_STE, "7.3.5, 5.2.2",
	 "the STE is not valid (V = 0: nobody attached the device), or illegal for this SMMU: "
	 "decode the STE "
	 "with --idr0 and so on"},
	{SMMU_F_BAD_ATS_TREQ, "7.3.6",
	 "the device asks for translations (ATS), and its STE has EATS = 0 or the SMMU is off: ATS "
	 "is enabled "
	 "in the device and not in the SMMU"},
	{SMMU_F_STREAM_DISABLED, "7.3.7",
	 "traffic without a substream where S1DSS forbids it, or with substream 0 where S1DSS "
	 "takes that for "
	 "traffic without one"},
	{SMMU_F_TRANSL_FORBIDDEN, "7.3.8",
	 "the device used a translated address (ATS) and must not: EATS = 0, Config = bypass or "
	 "SMMUEN = 0 "
	 "with CR0.ATSCHK = 1, or a denial by the DPT"},
	{SMMU_C_BAD_SUBSTREAMID, "7.3.9",
	 "the substream (PASID) is beyond S1CDMax, or there is no stage 1, or its level-1 CD is "
	 "not valid: "
	 "the device uses a PASID that nobody attached"},
	{SMMU_F_CD_FETCH, "7.3.10",
	 "reading the CD was aborted: look at S1ContextPtr, the level-1 CD and FetchAddr"},
	{SMMU_C_BAD_CD, "7.3.11, 5.4.2",
	 "the CD is not valid (V = 0: the PASID is not attached), or illegal for this SMMU: decode "
	 "the CD with "
	 "--idr0 and so on"},
	{SMMU_F_WALK_EABT, "7.3.12",
	 "reading a translation table was aborted: a table that was freed or lies outside memory; "
	 "FetchAddr "
	 "says where"},
	{SMMU_F_TRANSLATION, "7.3.13",
	 "nothing is mapped at the address: a buffer that was unmapped too early or never mapped, "
	 "or an "
	 "address beyond the size of the table (T0SZ, S2T0SZ)"},
	{SMMU_F_ADDR_SIZE, "7.3.14",
	 "a descriptor or an untranslated address is beyond IPS, S2PS or OAS: look for a damaged "
	 "table"},
	{SMMU_F_ACCESS, "7.3.15",
	 "the Access flag of the descriptor is 0, and nothing sets it (no HTTU): software has to "
	 "map with AF"},
	{SMMU_F_PERMISSION, "7.3.16",
	 "the mapping does not allow this access: a write to a read-only buffer (wrong DMA "
	 "direction), or an "
	 "unprivileged access"},
	{SMMU_F_TLB_CONFLICT, "7.3.17",
	 "two TLB entries match: a table was changed without break-before-make, or an invalidation "
	 "is missing"},
	{SMMU_F_CFG_CONFLICT, "7.3.18", "two cached STEs match: STEs within a CONT span differ"},
	{SMMU_E_PAGE_REQUEST, "7.3.19",
	 "a hint that the pages will be used soon; no answer is due"},
	{SMMU_F_VMS_FETCH, "7.3.20",
	 "reading the VMS was aborted: look at VMSPtr of the STE and at FetchAddr"},
};

void smmu_remarks_event_type(unsigned type, smmu_remark_fn *fn, void *ctx)
{
	const struct remarks r = {NULL, fn, ctx};

	for (size_t i = 0; i < SMMU_ARRAY_SIZE(causes); i++)
		smmu_remark_if(&r, causes[i].type == type, SMMU_REMARK_CAUSE, causes[i].section,
			       causes[i].text);
}

void smmu_remarks_event(const struct smmu_event_record *rec, smmu_remark_fn *fn, void *ctx)
{
	const struct remarks r = {NULL, fn, ctx};
	struct smmu_event ev;
	unsigned members;
	bool reserved = false;

	smmu_event_decode(rec, &ev);
	members = smmu_event_members(ev.type);
	smmu_remarks_event_type(ev.type, fn, ctx);
	if (!smmu_event_name(ev.type)) {
		bool impdef =
			ev.type >= SMMU_EVENT_IMPDEF_FIRST && ev.type <= SMMU_EVENT_IMPDEF_LAST;

		NOTE_IF(&r, impdef, "7.3.21", "what it means is up to the part");
		RESERVED_IF(&r, !impdef, "7.3.21",
			    "no such event: a record that was not written, or of a newer part");
		return;
	}
	NOTE_IF(&r, members & SMMU_EVENT_HAS_CLASS && ev.fault_class == SMMU_EVENT_CLASS_CD,
		"7.3.13",
		"CLASS is CD: it was the address of the CD that stage 2 could not translate, not "
		"the device's");
	NOTE_IF(&r, members & SMMU_EVENT_HAS_CLASS && ev.fault_class == SMMU_EVENT_CLASS_TT,
		"7.3.13",
		"CLASS is TT: it was the address of a stage-1 table, not the device's own");
	NOTE_IF(&r, ev.stall, "7.3.21, 4.7.1",
		"the transaction waits: it needs a CMD_RESUME with this stream and STAG, or "
		"CMD_STALL_TERM");
	NOTE_IF(&r, ev.gpcf, "3.25.3",
		"a granule protection fault: the memory belongs to another world");
	smmu_fields_event(rec, smmu_remark_see_reserved, &reserved);
	RESERVED_IF(
		&r, reserved, "7.3",
		ev.type == SMMU_F_PERMISSION
			? "bits that older parts do not have: Overlay, AssuredOnly and DirtyBit of "
			  "indirect permissions are among them (7.3.16), or a damaged record"
			: "bits of no field are set: a newer part, or a damaged record");
}
