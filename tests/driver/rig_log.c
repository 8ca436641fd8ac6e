/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of the driver's tests, and arrays, as text. */
#include "rig.h"

void rig_log_reset(struct rig *rig)
{
	rig->lines = 0;
}

static void print_line(const struct rig *rig, const struct rig_line *l, char *at, size_t room)
{
	unsigned op = smmu_cmd_opcode(&l->cmd);
	uint64_t w0 = l->cmd.w[0], w1 = l->cmd.w[1];
	const char *name = smmu_cmd_name(op);
	char args[64] = "";

	switch (op) {
	case RIG_ATS_ON:
		name = "ATS_ON";
		break;
	case RIG_ATS_OFF:
		name = "ATS_OFF";
		break;
	case RIG_STE:
		name = "STE";
		break;
	case SMMU_CMD_CFGI_CD:
		snprintf(args, sizeof(args), "(%u+%u)", (unsigned)(w0 >> 32),
			 (unsigned)smmu_field_get(SMMU_CMD_W0_SSID, w0));
		break;
	case SMMU_CMD_ATC_INV:
		if (w0 & SMMU_CMD_ATC_INV_W0_G)
			snprintf(args, sizeof(args), "(%u+*", (unsigned)(w0 >> 32));
		else if (w0 & SMMU_CMD_W0_SSV)
			snprintf(args, sizeof(args), "(%u+%u", (unsigned)(w0 >> 32),
				 (unsigned)smmu_field_get(SMMU_CMD_W0_SSID, w0));
		else
			snprintf(args, sizeof(args), "(%u", (unsigned)(w0 >> 32));
		if ((w1 & 63) == SMMU_CMD_ATC_INV_SIZE_ALL)
			strcat(args, ")");
		else
			snprintf(args + strlen(args), sizeof(args) - strlen(args), ",%llx/%u)",
				 (unsigned long long)(w1 & SMMU_CMD_ATC_INV_W1_ADDR),
				 (unsigned)(w1 & 63));
		break;
	case SMMU_CMD_TLBI_NH_VA:
	case SMMU_CMD_TLBI_S2_IPA:
		snprintf(args, sizeof(args), "(%u,%llx*%llu%s)",
			 (unsigned)(op == SMMU_CMD_TLBI_NH_VA
					    ? smmu_field_get(SMMU_CMD_TLBI_W0_ASID, w0)
					    : smmu_field_get(SMMU_CMD_TLBI_W0_VMID, w0)),
			 (unsigned long long)(w1 & SMMU_CMD_TLBI_W1_IPA),
			 (unsigned long long)((smmu_field_get(SMMU_CMD_TLBI_W0_NUM, w0) + 1)
					      << smmu_field_get(SMMU_CMD_TLBI_W0_SCALE, w0)),
			 w1 & SMMU_CMD_TLBI_W1_LEAF ? "" : ",tables");
		break;
	case SMMU_CMD_TLBI_NH_ASID:
		snprintf(args, sizeof(args), "(%u)",
			 (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_ASID, w0));
		break;
	case SMMU_CMD_TLBI_NH_ALL:
	case SMMU_CMD_TLBI_S12_VMALL:
		snprintf(args, sizeof(args), "(%u)",
			 (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_VMID, w0));
		break;
	default:
		break;
	}
	if (op == SMMU_CMD_CFGI_STE || op == SMMU_CMD_CFGI_CD_ALL || op >= RIG_ATS_ON)
		snprintf(args, sizeof(args), "(%u)", (unsigned)(w0 >> 32));
	if (rig->count > 1)
		snprintf(at, room, "%u:%s%s", l->smmu, name ? name : "?", args);
	else
		snprintf(at, room, "%s%s", name ? name : "?", args);
}

const char *rig_log(struct rig *rig)
{
	size_t at = 0;

	rig->text[0] = 0;
	for (unsigned i = 0; i < rig->lines && at + 100 < sizeof(rig->text); i++) {
		if (i)
			rig->text[at++] = ' ';
		print_line(rig, &rig->log[i], rig->text + at, sizeof(rig->text) - at);
		at += strlen(rig->text + at);
	}
	return rig->text;
}

unsigned rig_log_count(const struct rig *rig, unsigned opcode)
{
	unsigned n = 0;

	for (unsigned i = 0; i < rig->lines; i++)
		n += smmu_cmd_opcode(&rig->log[i].cmd) == opcode;
	return n;
}

static unsigned smmu_of(const struct rig *rig, const struct smmu_inv_target *t)
{
	unsigned i = 0;

	while (i < rig->count && t != &rig->smmu[i].inst.target)
		i++;
	return i;
}

const char *rig_array(struct rig *rig, const struct smmu_domain *domain)
{
	static const char *const kind[] = {"asid", "vmid", "clear", "ats", "atsfull"};
	struct smmu_inv_array *a = smmu_rcu_dereference(&((struct smmu_domain *)domain)->inv);
	size_t at = 0;

	rig->text[0] = 0;
	for (uint32_t i = 0; a && i < a->count; i++) {
		const struct smmu_inv *e = &a->entry[i];

		if (i)
			rig->text[at++] = ' ';
		if (!e->users) {
			strcpy(rig->text + at++, "-");
			continue;
		}
		at += (size_t)sprintf(rig->text + at, "%u:%s%u", smmu_of(rig, e->target),
				      kind[e->kind], e->id);
		if (e->substream)
			at += (size_t)sprintf(rig->text + at, "+%u", e->substream - 1);
		if (e->users != 1)
			at += (size_t)sprintf(rig->text + at, "*%u", e->users);
		if (e->kind >= SMMU_INV_ATS && e->owner->cut)
			at += (size_t)sprintf(rig->text + at, "!");
	}
	return rig->text;
}
