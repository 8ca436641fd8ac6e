/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers and memory as the SMMU sees them, and what it recorded: read from the hardware, not from the driver. */
#include "app.h"

#include <smmuv3/hw/print.h>
#include <smmuv3/hw/regs.h>

#define PAGE0_SHOWN 0x200u /* what lies behind is identification and what an implementation adds */

static uint64_t read(uint64_t base, uint32_t offset)
{
	const volatile void *at = (const volatile void *)(uintptr_t)(base + offset);

	return smmu_reg_bits(offset) == 64 ? *(const volatile uint64_t *)at
					   : *(const volatile uint32_t *)at;
}

static void dump_registers(uint64_t base)
{
	struct app_line l;

	for (uint32_t at = 0; at < PAGE0_SHOWN; at += 4) {
		if (!smmu_reg_name(at))
			continue;
		smmu_text_str(app_begin(&l), "  ");
		smmu_print_reg(&l.text, at, read(base, at));
		app_end(&l);
		at += smmu_reg_bits(at) == 64 ? 4 : 0;
	}
}

/* The STE of a stream, found as the SMMU finds it (IHI 0070 G.b, 3.3.1). NULL: there is none. */
static const struct smmu_ste *find_ste(uint64_t base, uint32_t sid)
{
	uint64_t table = read(base, SMMU_STRTAB_BASE) & SMMU_STRTAB_BASE_ADDR, desc;
	uint64_t cfg = read(base, SMMU_STRTAB_BASE_CFG);
	uint32_t split = (uint32_t)smmu_field_get(SMMU_STRTAB_BASE_CFG_SPLIT, cfg);
	uint32_t span;

	if (!table || (uint64_t)sid >> smmu_field_get(SMMU_STRTAB_BASE_CFG_LOG2SIZE, cfg))
		return NULL;
	if (smmu_field_get(SMMU_STRTAB_BASE_CFG_FMT, cfg) != SMMU_STRTAB_BASE_CFG_FMT_2LVL)
		return (const struct smmu_ste *)(uintptr_t)table + sid;
	desc = ((const uint64_t *)(uintptr_t)table)[sid >> split];
	span = (uint32_t)smmu_field_get(SMMU_L1STD_SPAN, desc);
	sid &= (1u << split) - 1;
	if (!span || sid >> (span - 1))
		return NULL;
	return (const struct smmu_ste *)(uintptr_t)(desc & SMMU_L1STD_L2PTR) + sid;
}

static void dump_stream(uint64_t base, uint32_t sid)
{
	const struct smmu_ste *ste = find_ste(base, sid);
	struct app_line l;

	smmu_text_str(app_begin(&l), "  stream ");
	smmu_text_hex(&l.text, sid, 1);
	smmu_text_str(&l.text, ": ");
	if (ste)
		smmu_print_ste(&l.text, ste);
	else
		smmu_text_str(&l.text, "no STE");
	app_end(&l);
	/* Stage 1 with one context descriptor, or with a linear table of them. */
	if (!ste || !(smmu_field_get(SMMU_STE_W0_CONFIG, ste->w[0]) & 1) ||
	    !(smmu_field_get(SMMU_STE_W0_CONFIG, ste->w[0]) & 4) ||
	    (smmu_field_get(SMMU_STE_W0_S1CDMAX, ste->w[0]) &&
	     smmu_field_get(SMMU_STE_W0_S1FMT, ste->w[0])))
		return;
	smmu_text_str(app_begin(&l), "    ");
	smmu_print_cd(&l.text,
		      (const struct smmu_cd *)(uintptr_t)(ste->w[0] & SMMU_STE_W0_S1CONTEXTPTR));
	app_end(&l);
}

int app_dump(void)
{
	struct smmu_uefi_info *info = app_info();
	struct uefi_stream_info s;
	struct smmu_topology t;
	struct app_line l;

	if (app_topology(&t))
		return 1;
	for (uint32_t i = 0; i < t.n_smmus; i++) {
		smmu_text_str(app_begin(&l), "smmu");
		smmu_text_dec(&l.text, i);
		smmu_text_str(&l.text, " at ");
		smmu_text_hex(&l.text, t.smmus[i].base, 1);
		app_end(&l);
		dump_registers(t.smmus[i].base);
		for (uint32_t n = 0; info && info->stream(n, &s); n++)
			if (s.smmu == i)
				dump_stream(t.smmus[i].base, s.sid);
	}
	smmu_topology_free(&t);
	return 0;
}

/* ---- decode ---- */

int app_show_events(void)
{
	struct smmu_uefi_info *info = app_info();
	struct smmu_event_record rec;
	struct uefi_event e;
	struct app_line l;
	uint64_t n = 0;
	int got;

	if (!info) {
		app_say("SmmuV3Dxe.efi is not started");
		return 1;
	}
	for (; (got = info->event(n, &e)) != 0; n++) {
		if (got < 0)
			continue;
		__builtin_memcpy(rec.w, e.record, sizeof(rec.w));
		smmu_text_dec(app_begin(&l), n);
		smmu_text_str(&l.text, " smmu");
		smmu_text_dec(&l.text, e.smmu);
		smmu_text_char(&l.text, ' ');
		smmu_print_event(&l.text, &rec);
		app_end(&l);
	}
	smmu_text_str(app_begin(&l), "events: ");
	smmu_text_dec(&l.text, n);
	app_end(&l);
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal words, with or without 0x. How many; -1: something else stands there, or too many. */
static int words(const char *p, uint64_t *w, int most)
{
	int n = 0;

	while (*p == ' ')
		p++;
	for (; *p; n++) {
		uint64_t value = 0;

		if (n == most)
			return -1;
		if (p[0] == '0' && (p[1] | 0x20) == 'x')
			p += 2;
		if (digit(*p) < 0)
			return -1;
		for (; digit(*p) >= 0; p++)
			value = value << 4 | (uint64_t)digit(*p);
		if (*p && *p != ' ')
			return -1;
		w[n] = value;
		while (*p == ' ')
			p++;
	}
	return n;
}

static const char *behind(const char *text, const char *word)
{
	while (*text == ' ')
		text++;
	for (; *word; word++, text++)
		if (*text != *word)
			return NULL;
	return *text == ' ' ? text : NULL;
}

int app_decode(const char *text)
{
	uint64_t w[8] = {0};
	struct app_line l;
	const char *rest;
	int n = -1;

	while (*text == ' ')
		text++;
	if (!*text)
		return app_show_events();
	app_begin(&l);
	if ((rest = behind(text, "event")) && (n = words(rest, w, 4)) > 0)
		smmu_print_event(&l.text, (const struct smmu_event_record *)w);
	else if ((rest = behind(text, "cmd")) && (n = words(rest, w, 2)) > 0)
		smmu_print_cmd(&l.text, (const struct smmu_cmd *)w);
	else if ((rest = behind(text, "ste")) && (n = words(rest, w, 8)) > 0)
		smmu_print_ste(&l.text, (const struct smmu_ste *)w);
	else if ((rest = behind(text, "cd")) && (n = words(rest, w, 8)) > 0)
		smmu_print_cd(&l.text, (const struct smmu_cd *)w);
	if (n <= 0) {
		app_say("decode: event, cmd, ste or cd, and its words in hexadecimal");
		return 1;
	}
	app_end(&l);
	return 0;
}
