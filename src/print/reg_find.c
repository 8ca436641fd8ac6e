/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers by offset and by name, and the text of a value. */
#include "reg.h"

#include <smmuv3/hw/regs.h>

/** The register at @p offset: true, with *@p d. */
static bool find(uint32_t offset, struct smmu_reg_desc *d)
{
	/* Page 0 may show the indexes of page 1 as well (6.2.1 Registers in Page 0). */
	bool alias = offset == (SMMU_EVENTQ_PROD & 0xffff) ||
		     offset == (SMMU_EVENTQ_CONS & 0xffff) || offset == (SMMU_PRIQ_PROD & 0xffff) ||
		     offset == (SMMU_PRIQ_CONS & 0xffff);
	const struct smmu_reg_desc *plain =
		smmu_reg_plain(alias ? offset + SMMU_REGS_PAGE1 : offset);

	if (plain)
		*d = *plain;
	return plain || smmu_reg_secure(offset, d) || smmu_reg_realm(offset, d);
}

const char *smmu_reg_name(uint32_t offset)
{
	struct smmu_reg_desc d;

	return find(offset, &d) ? d.name : NULL;
}

unsigned smmu_reg_bits(uint32_t offset)
{
	struct smmu_reg_desc d;

	return find(offset, &d) ? d.bits : 32;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/** True if @p s begins with @p prefix, which is in upper case; the rest of @p s then is at *@p rest. */
static bool begins(const char *s, const char *prefix, const char **rest)
{
	for (; *prefix; prefix++, s++)
		if (upper(*s) != *prefix)
			return false;
	*rest = s;
	return true;
}

/** True if @p name is @p wanted; Linux says EVTQ where the specification says EVENTQ. */
static bool same(const char *name, const char *wanted)
{
	const char *rest;

	if (begins(name, wanted, &rest) && *rest == '\0')
		return true;
	if (begins(name, "S_EVTQ", &name))
		return begins(wanted, "S_EVENTQ", &rest) && begins(name, rest, &name) && !*name;
	if (begins(name, "R_EVTQ", &name))
		return begins(wanted, "R_EVENTQ", &rest) && begins(name, rest, &name) && !*name;
	return begins(name, "EVTQ", &name) && begins(wanted, "EVENTQ", &rest) &&
	       begins(name, rest, &name) && !*name;
}

int smmu_reg_find(const char *name, uint32_t *offset)
{
	const struct smmu_reg_desc *plain;
	struct smmu_reg_desc d;
	size_t i;

	if (!begins(name, "ARM_SMMU_", &name))
		begins(name, "SMMU_", &name);
	for (i = 0; (plain = smmu_reg_nth(i)) != NULL; i++) {
		if (same(name, plain->name)) {
			*offset = plain->offset;
			return 0;
		}
	}
	for (i = 0; smmu_reg_secure_nth(i, &d); i++) {
		if (same(name, d.name)) {
			*offset = d.offset;
			return 0;
		}
	}
	for (i = 0; smmu_reg_realm_nth(i, &d); i++) {
		if (same(name, d.name)) {
			*offset = d.offset;
			return 0;
		}
	}
	return -SMMU_ENOENT;
}

/** What is said of an offset that is no register of the tables (6.2.1). */
static const char *fields_other(uint32_t offset, uint64_t value, smmu_field_fn *fn, void *ctx)
{
	static const char *const control[] = {"CMDQ_CONTROL_PAGE_BASE", "CMDQ_CONTROL_PAGE_BASE",
					      "CMDQ_CONTROL_PAGE_CFG", "CMDQ_CONTROL_PAGE_STATUS"};
	static const char *const s_control[] = {
		"S_CMDQ_CONTROL_PAGE_BASE", "S_CMDQ_CONTROL_PAGE_BASE", "S_CMDQ_CONTROL_PAGE_CFG",
		"S_CMDQ_CONTROL_PAGE_STATUS"};
	uint32_t page = offset & 0x7fff;
	bool low = offset < SMMU_REGS_PAGE1;

	if (low && page >= 0x4000 && page < 0x6000 && (page & 0x1f) < 0x10) {
		smmu_field_emit(fn, ctx, "n", (page & 0x1fff) / 0x20, NULL);
		smmu_field_emit_hex(fn, ctx, "value", value);
		return (offset & 0x8000 ? s_control : control)[(page & 0x1f) / 4];
	}
	smmu_field_emit_hex(fn, ctx, "offset", offset);
	smmu_field_emit_hex(fn, ctx, "value", value);
	if (low && page >= 0xfd0 && page < 0x1000)
		return "identification register";
	if (low && ((page >= 0xe00 && page < 0xf00) || (page >= 0x1000 && page < 0x4000)))
		return "IMPLEMENTATION DEFINED register";
	return "reserved register";
}

const char *smmu_fields_reg(uint32_t offset, uint64_t value, smmu_field_fn *fn, void *ctx)
{
	struct smmu_reg_desc d;
	uint64_t defined = 0;

	if (!find(offset, &d))
		return fields_other(offset, value, fn, ctx);
	if (!d.fields) {
		smmu_field_emit_hex(fn, ctx, "value", value);
		return d.name;
	}
	smmu_fields_walk(d.fields, d.count, &value, NULL, fn, ctx);
	smmu_fields_defined(d.fields, d.count, &defined);
	smmu_fields_rest(&value, &defined, 1, fn, ctx);
	return d.name;
}

void smmu_print_reg(struct smmu_text *t, uint32_t offset, uint64_t value)
{
	smmu_text_str(t, smmu_fields_reg(offset, value, smmu_field_drop, NULL));
	smmu_fields_reg(offset, value, smmu_field_print, t);
}
