/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of structures that `smmuv3 decode` knows: from words, to fields and remarks. */
#include "decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct kind kinds[KIND_AUTO + 1] = {
	[KIND_CMD] = {"cmd", "a command", 2},
	[KIND_STE] = {"ste", "a stream table entry", 8},
	[KIND_CD] = {"cd", "a context descriptor", 8},
	[KIND_EVENT] = {"event", "an event record", 4},
	[KIND_PRI] = {"pri", "a page request", 2},
	[KIND_REG] = {"reg", "a register and its value", 0},
	[KIND_L1STD] = {"l1std", "a level-1 stream table descriptor", 1},
	[KIND_L1CD] = {"l1cd", "a level-1 context descriptor", 1},
	[KIND_AUTO] = {"auto", "a command, event, STE, CD or register", 0},
};

unsigned parse_hex(const char *s, uint64_t *value)
{
	size_t n;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	n = strlen(s);
	if (n < 1 || n > 16 || strspn(s, "0123456789abcdefABCDEF") != n)
		return 0;
	*value = strtoull(s, NULL, 16);
	return (unsigned)n;
}

static int parse_reg(char **word, unsigned n, union structure *s, char *err, size_t size)
{
	uint64_t offset;

	if (n != 2) {
		snprintf(err, size,
			 "expected a register's name or offset and its value, got %u word%s", n,
			 n == 1 ? "" : "s");
		return -1;
	}
	if (smmu_reg_find(word[0], &s->reg.offset) != 0) {
		if (!parse_hex(word[0], &offset)) {
			snprintf(err, size,
				 "\"%s\" is no register; expected a name such as IDR0 or "
				 "STRTAB_BASE_CFG, or "
				 "an offset in hexadecimal",
				 word[0]);
			return -1;
		}
		if (offset >= 0x20000 || offset % 4) {
			snprintf(
				err, size,
				"offset %s: expected a multiple of 4 below 0x20000 (pages 0 and 1)",
				word[0]);
			return -1;
		}
		s->reg.offset = (uint32_t)offset;
	}
	if (!parse_hex(word[1], &s->reg.value)) {
		snprintf(err, size, "\"%s\": expected a value of 1 to 16 hexadecimal digits",
			 word[1]);
		return -1;
	}
	if (smmu_reg_bits(s->reg.offset) == 32 && s->reg.value > UINT32_MAX) {
		snprintf(err, size, "%s: the register at 0x%" PRIx32 " has 32 bits", word[1],
			 s->reg.offset);
		return -1;
	}
	return 0;
}

enum kind_id structure_guess(const uint64_t *w, unsigned n)
{
	switch (n) {
	case 1:
		return KIND_L1STD;
	case 2:
		return KIND_CMD;
	case 4:
		return KIND_EVENT;
	case 8:
		/* V of a CD is bit 31, V of an STE bit 0, where a CD has the low bit of T0SZ. */
		if ((w[0] & SMMU_CD_W0_V) && (!(w[0] & SMMU_STE_W0_V) || (w[0] & SMMU_CD_W0_AA64)))
			return KIND_CD;
		return KIND_STE;
	default:
		return KIND_AUTO;
	}
}

/* Each word as it is, or two of 32 bits as one. */
static int parse_words(const struct kind *k, char **word, unsigned n, union structure *s, char *err,
		       size_t size)
{
	bool halves = k->words && n == 2 * k->words;
	unsigned digits, i;
	uint64_t value;

	for (i = 0; i < n; i++) {
		digits = parse_hex(word[i], &value);
		if (!digits) {
			snprintf(err, size, "\"%s\": expected a word of 1 to 16 hexadecimal digits",
				 word[i]);
			return -1;
		}
		if (halves && digits > 8) {
			snprintf(err, size,
				 "\"%s\": %u words are 32 bits each, at most 8 digits; expected "
				 "that, or %u "
				 "words of 64 bits",
				 word[i], n, k->words);
			return -1;
		}
		if (halves)
			s->w[i / 2] |= value << (i % 2 ? 32 : 0);
		else
			s->w[i] = value;
	}
	return 0;
}

int structure_parse(enum kind_id *kind, char **word, unsigned n, union structure *s, char *err,
		    size_t size)
{
	const struct kind *k = &kinds[*kind];
	uint32_t offset;

	memset(s, 0, sizeof(*s));
	if (*kind == KIND_AUTO && n == 2 && !smmu_reg_find(word[0], &offset))
		*kind = KIND_REG;
	if (*kind == KIND_REG)
		return parse_reg(word, n, s, err, size);
	if (*kind == KIND_AUTO) {
		if (n != 1 && n != 2 && n != 4 && n != 8) {
			snprintf(err, size,
				 "expected 2 words of 64 bits for a command, 4 for an event, 8 for "
				 "an STE or "
				 "a CD, or a register's name and value; got %u word%s",
				 n, n == 1 ? "" : "s");
			return -1;
		}
		if (parse_words(k, word, n, s, err, size))
			return -1;
		*kind = structure_guess(s->w, n);
		return 0;
	}
	if (n != k->words && n != 2 * k->words) {
		snprintf(err, size, "expected %u word%s of 64 bits or %u of 32 bits for %s, got %u",
			 k->words, k->words == 1 ? "" : "s", 2 * k->words, k->what, n);
		return -1;
	}
	return parse_words(k, word, n, s, err, size);
}

const char *structure_fields(enum kind_id kind, const union structure *s, smmu_field_fn *fn,
			     void *ctx)
{
	switch (kind) {
	case KIND_CMD:
		return smmu_fields_cmd(&s->cmd, fn, ctx);
	case KIND_STE:
		return smmu_fields_ste(&s->ste, fn, ctx);
	case KIND_CD:
		return smmu_fields_cd(&s->cd, fn, ctx);
	case KIND_EVENT:
		return smmu_fields_event(&s->event, fn, ctx);
	case KIND_PRI:
		return smmu_fields_pri(&s->pri, fn, ctx);
	case KIND_REG:
		return smmu_fields_reg(s->reg.offset, s->reg.value, fn, ctx);
	case KIND_L1STD:
		return smmu_fields_l1std(s->w[0], fn, ctx);
	case KIND_L1CD:
		return smmu_fields_l1cd(s->w[0], fn, ctx);
	case KIND_AUTO:
		break;
	}
	return "";
}

void structure_remarks(enum kind_id kind, const union structure *s, const struct smmu_ids *ids,
		       smmu_remark_fn *fn, void *ctx)
{
	switch (kind) {
	case KIND_CMD:
		smmu_remarks_cmd(&s->cmd, ids, fn, ctx);
		break;
	case KIND_STE:
		smmu_remarks_ste(&s->ste, ids, fn, ctx);
		break;
	case KIND_CD:
		smmu_remarks_cd(&s->cd, ids, fn, ctx);
		break;
	case KIND_EVENT:
		smmu_remarks_event(&s->event, fn, ctx);
		break;
	case KIND_REG:
		smmu_remarks_reg(s->reg.offset, s->reg.value, fn, ctx);
		break;
	case KIND_L1STD:
		smmu_remarks_l1std(s->w[0], ids, fn, ctx);
		break;
	case KIND_L1CD:
		smmu_remarks_l1cd(s->w[0], ids, fn, ctx);
		break;
	case KIND_PRI:
	case KIND_AUTO:
		break;
	}
}
