/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking a table of fields, and the text of one field. */
#include "fields.h"

const char smmu_field_reserved[] = "reserved";

const char *const smmu_names_sh[4] = {"NSH", NULL, "OSH", "ISH"};
const char *const smmu_names_walk[4] = {"NC", "WB-RAWA", "WT-RA", "WB-RA"};
const char *const smmu_names_tg0[4] = {"4K", "64K", "16K", NULL};
const char *const smmu_names_size[8] = {"32-bit", "36-bit", "40-bit", "42-bit",
					"44-bit", "48-bit", "52-bit", "56-bit"};

static const char *field_text(const struct smmu_field *f, uint64_t value)
{
	if (!f->values)
		return NULL;
	return value < f->count && f->values[value] ? f->values[value] : smmu_field_reserved;
}

void smmu_fields_walk(const struct smmu_field *table, size_t n, const uint64_t *w,
		      const uint64_t *used, smmu_field_fn *fn, void *ctx)
{
	for (size_t i = 0; i < n; i++) {
		const struct smmu_field *f = &table[i];
		uint64_t value = w[f->word] & f->mask;
		bool always = f->kind == SMMU_FIELD_ID || f->kind == SMMU_FIELD_ADDR ||
			      f->kind == SMMU_FIELD_STREAM;
		bool address = f->kind == SMMU_FIELD_ADDR || f->kind == SMMU_FIELD_ADDR_SET;
		struct smmu_field_view view = {.name = f->name, .word = f->word};

		if (used && !(used[f->word] & f->mask))
			continue;
		if (!value && !always)
			continue;
		view.value = address ? value : smmu_field_get(f->mask, value);
		view.address = address || f->kind == SMMU_FIELD_HEX ||
			       f->kind == SMMU_FIELD_STREAM || f->kind == SMMU_FIELD_STREAM_SET;
		view.text = field_text(f, view.value);
		fn(ctx, &view);
	}
}

void smmu_fields_rest(const uint64_t *w, const uint64_t *defined, unsigned words, smmu_field_fn *fn,
		      void *ctx)
{
	for (unsigned i = 0; i < words; i++) {
		struct smmu_field_view view = {.name = smmu_field_reserved,
					       .value = w[i] & ~defined[i],
					       .address = true,
					       .word = (uint8_t)i};

		if (view.value)
			fn(ctx, &view);
	}
}

void smmu_fields_defined(const struct smmu_field *table, size_t n, uint64_t *defined)
{
	for (size_t i = 0; i < n; i++)
		defined[table[i].word] |= table[i].mask;
}

bool smmu_fields_any_reserved(const struct smmu_field *table, size_t n, const uint64_t *w)
{
	for (size_t i = 0; i < n; i++) {
		const struct smmu_field *f = &table[i];

		if (field_text(f, smmu_field_get(f->mask, w[f->word])) == smmu_field_reserved)
			return true;
	}
	return false;
}

void smmu_field_emit(smmu_field_fn *fn, void *ctx, const char *name, uint64_t value,
		     const char *text)
{
	fn(ctx, &(struct smmu_field_view){.name = name, .value = value, .text = text});
}

void smmu_field_emit_hex(smmu_field_fn *fn, void *ctx, const char *name, uint64_t value)
{
	fn(ctx, &(struct smmu_field_view){.name = name, .value = value, .address = true});
}

void smmu_field_print(void *ctx, const struct smmu_field_view *field)
{
	struct smmu_text *t = ctx;

	smmu_text_char(t, ' ');
	smmu_text_str(t, field->name);
	if (field->name == smmu_field_reserved) {
		smmu_text_str(t, "!=W");
		smmu_text_dec(t, field->word);
		smmu_text_char(t, ':');
		smmu_text_hex(t, field->value, 1);
		return;
	}
	smmu_text_char(t, '=');
	if (field->text) {
		smmu_text_str(t, field->text);
		if (field->text != smmu_field_reserved)
			return;
		smmu_text_char(t, '(');
		smmu_text_dec(t, field->value);
		smmu_text_char(t, ')');
	} else if (field->address) {
		smmu_text_hex(t, field->value, 1);
	} else {
		smmu_text_dec(t, field->value);
	}
}

void smmu_field_drop(void *ctx, const struct smmu_field_view *field)
{
}
