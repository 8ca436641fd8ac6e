/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest_oracle.h"

static uint64_t bits(uint64_t word, unsigned hi, unsigned lo)
{
	return word << (63 - hi) >> (63 - hi + lo);
}

static bool bit(uint64_t word, unsigned n)
{
	return word >> n & 1;
}

/**
 * True if @p word has a 1 outside the fields, a list of pairs (highest, lowest bit) that ends with
 * -1.
 */
static bool beside(uint64_t word, const int *fields)
{
	for (; *fields >= 0; fields += 2)
		for (int n = fields[1]; n <= fields[0]; n++)
			word &= ~(1ull << n);
	return word != 0;
}

#define FIELDS(...) ((const int[]){__VA_ARGS__, -1})

/* ---- ID registers (6.3.1 to 6.3.6) ---- */

/** Each of the bits of @p shown is one of @p real's, or among those that do not matter. */
static bool at_most(uint32_t real, uint32_t shown, const int *if_real, const int *free)
{
	uint32_t allowed = 0;

	for (; *if_real >= 0; if_real += 2)
		for (int n = if_real[1]; n <= if_real[0]; n++)
			allowed |= real & (1u << n);
	for (; *free >= 0; free += 2)
		for (int n = free[1]; n <= free[0]; n++)
			allowed |= 1u << n;
	return !(shown & ~allowed);
}

bool oracle_ids_ok(const struct oracle_ids *real, const struct oracle_ids *shown)
{
	uint64_t r0 = real->idr0, s0 = shown->idr0;

	/* Both stages to nest, and one to show. */
	if (!bit(r0, 0) || !bit(r0, 1) || !bit(s0, 1))
		return false;
	/*
	 * STALL_MODEL: the real one can be told to stall nothing, and the guest is told that
	 * nothing stalls.
	 */
	if (bits(r0, 25, 24) == 2 || bits(s0, 25, 24) != 1)
		return false;
	/* TERM_MODEL 1: CD.A has to be 1. */
	if (bit(r0, 26) && !bit(s0, 26))
		return false;
	/* TTF, COHACC, ATS, ASID16, PRI, CD2L; others are the guest's affair or told apart here. */
	if (!at_most(real->idr0, shown->idr0, FIELDS(3, 2, 4, 4, 10, 10, 12, 12, 16, 16, 19, 19),
		     FIELDS(1, 1, 8, 6, 11, 11, 14, 13, 18, 18, 26, 21, 28, 27)))
		return false;
	if (!bits(s0, 3, 2) || bits(s0, 7, 6) > bits(r0, 7, 6))
		return false;
	/* TTENDIAN: 0 both, 2 little, 3 big. */
	if (bits(s0, 22, 21) == 1 || (bits(r0, 22, 21) && bits(r0, 22, 21) != bits(s0, 22, 21)))
		return false;
	/*
	 * SIDSIZE and sizes of queues, REL and presets are free; SSIDSIZE is not, and nothing else
	 * is there.
	 */
	if (!at_most(0, shown->idr1, ((const int[]){-1}), FIELDS(25, 0, 30, 28)))
		return false;
	if (bits(shown->idr1, 5, 0) > 32 || bits(shown->idr1, 10, 6) > bits(real->idr1, 10, 6))
		return false;
	/* HAD, STT, RIL, E0PD, PTWNNC, PASIDTT, EPAN; BBML by number. */
	if (!at_most(real->idr3, shown->idr3, FIELDS(2, 2, 10, 9, 14, 13, 17, 16), FIELDS(12, 11)))
		return false;
	if (bits(shown->idr3, 12, 11) > bits(real->idr3, 12, 11))
		return false;
	/* Granules and DS; OAS and VAX by number; STALL_MAX is free. */
	if (!at_most(real->idr5, shown->idr5, FIELDS(7, 4), FIELDS(2, 0, 11, 10, 31, 16)))
		return false;
	return bits(shown->idr5, 2, 0) <= bits(real->idr5, 2, 0) &&
	       bits(shown->idr5, 11, 10) <= bits(real->idr5, 11, 10);
}

/* ---- Commands (chapter 4) ---- */

static enum oracle_verdict by_address(const struct oracle_ids *shown, bool asid,
				      const uint64_t cmd[2], uint64_t out[2])
{
	bool ril = bit(shown->idr3, 10), ds = bit(shown->idr5, 7);
	unsigned num = bits(cmd[0], 16, 12), scale = bits(cmd[0], 25, 20);
	unsigned tg = bits(cmd[1], 11, 10), ttl = bits(cmd[1], 9, 8), aligned = 12;

	if (beside(cmd[0], asid ? FIELDS(7, 0, 16, 12, 25, 20, 47, 32, 63, 48)
				: FIELDS(7, 0, 16, 12, 25, 20, 47, 32)) ||
	    beside(cmd[1], FIELDS(0, 0, 9, 8, 11, 10, 63, 12)))
		return ORACLE_ILLEGAL;
	/* All four are RES0 without RIL, and but TG without TG. */
	if ((!ril && (num || scale || tg || ttl)) || (!tg && (num || scale || ttl)))
		return ORACLE_ILLEGAL;
	if (!ds && scale > 31)
		return ORACLE_ILLEGAL;
	/* 16K level 1 without DS is treated as 0. */
	if (tg == 2 && ttl == 1 && !ds)
		ttl = 0;
	if (tg && !num && !scale && !ttl)
		return ORACLE_ILLEGAL;
	if (scale > 39)
		scale = 39;
	/* The lists of 4.4.1.1, for 64-bit descriptors. */
	if (tg == 1)
		aligned = ttl == 1 ? 30 : ttl == 2 ? 21 : 12;
	if (tg == 2)
		aligned = ttl == 1 ? 36 : ttl == 2 ? 25 : 14;
	if (tg == 3)
		aligned = ttl == 1 ? 42 : ttl == 2 ? 29 : 16;
	out[0] = bits(cmd[0], 7, 0) | (uint64_t)num << 12 | (uint64_t)scale << 20;
	if (asid)
		out[0] |= bits(cmd[0], 63, 48) << 48;
	out[1] = (cmd[1] & 1) | (uint64_t)ttl << 8 | (uint64_t)tg << 10 |
		 cmd[1] >> aligned << aligned;
	return ORACLE_CONVERT;
}

static enum oracle_verdict of_stream(const struct oracle_ids *shown, oracle_streams *streams,
				     const uint64_t cmd[2], uint64_t out[2])
{
	uint64_t sid = bits(cmd[0], 63, 32), ssid = bits(out[0], 31, 12);
	int64_t real;

	/* Out of range: no effect (4.1.7). */
	if (ssid >= 1ull << bits(shown->idr1, 10, 6) || sid >= 1ull << bits(shown->idr1, 5, 0))
		return ORACLE_NOTHING;
	real = streams((uint32_t)sid);
	if (real < 0)
		return ORACLE_NOTHING;
	out[0] |= (uint64_t)real << 32;
	return ORACLE_CONVERT;
}

static enum oracle_verdict atc(const struct oracle_ids *shown, oracle_streams *streams,
			       const uint64_t cmd[2], uint64_t out[2])
{
	unsigned size = bits(cmd[1], 5, 0);

	if (!bit(shown->idr0, 10) || size > 52 ||
	    beside(cmd[0], FIELDS(7, 0, 9, 9, 11, 11, 31, 12, 63, 32)) ||
	    beside(cmd[1], FIELDS(5, 0, 63, 12)))
		return ORACLE_ILLEGAL;
	out[0] = 0x40;
	if (bit(cmd[0], 11)) {
		if (!bits(shown->idr1, 10, 6))
			return ORACLE_NOTHING;
		out[0] |= cmd[0] & (bits(~0ull, 31, 12) << 12 | 1 << 11 | 1 << 9);
	}
	out[1] = size;
	if (size < 52)
		out[1] |= cmd[1] >> (12 + size) << (12 + size);
	return of_stream(shown, streams, cmd, out);
}

static enum oracle_verdict if_clean(bool dirty, enum oracle_verdict clean)
{
	return dirty ? ORACLE_ILLEGAL : clean;
}

enum oracle_verdict oracle_command(const struct oracle_ids *shown, uint16_t vmid,
				   oracle_streams *streams, const uint64_t cmd[2], uint64_t real[2])
{
	uint64_t vm = (uint64_t)vmid << 32, op = bits(cmd[0], 7, 0);
	enum oracle_verdict v;

	real[1] = 0;
	switch (op) {
	case 0x01: /* PREFETCH_CONFIG */
		return if_clean(beside(cmd[0], FIELDS(7, 0, 11, 11, 31, 12, 63, 32)) || cmd[1],
				ORACLE_YOURS);
	case 0x02: /* PREFETCH_ADDR */
		return if_clean(beside(cmd[0], FIELDS(7, 0, 11, 11, 31, 12, 63, 32)) ||
					beside(cmd[1], FIELDS(4, 0, 9, 5, 63, 12)),
				ORACLE_YOURS);
	case 0x03: /* CFGI_STE */
		return if_clean(beside(cmd[0], FIELDS(7, 0, 63, 32)) || cmd[1] > 1, ORACLE_YOURS);
	case 0x04: /* CFGI_STE_RANGE */
		return if_clean(beside(cmd[0], FIELDS(7, 0, 63, 32)) || cmd[1] > 31, ORACLE_YOURS);
	case 0x05: /* CFGI_CD */
		if (beside(cmd[0], FIELDS(7, 0, 31, 12, 63, 32)) || cmd[1] > 1)
			return ORACLE_ILLEGAL;
		real[0] = bits(cmd[0], 31, 0);
		real[1] = cmd[1];
		return of_stream(shown, streams, cmd, real);
	case 0x06: /* CFGI_CD_ALL */
		if (beside(cmd[0], FIELDS(7, 0, 63, 32)) || cmd[1])
			return ORACLE_ILLEGAL;
		real[0] = 0x06;
		return of_stream(shown, streams, cmd, real);
	case 0x10: /* NH_ALL */
		real[0] = 0x10 | vm;
		return if_clean(beside(cmd[0], FIELDS(7, 0, 47, 32)) || cmd[1], ORACLE_CONVERT);
	case 0x11: /* NH_ASID */
	case 0x12: /* NH_VA */
		if (!bit(shown->idr0, 12) && bits(cmd[0], 63, 56))
			return ORACLE_ILLEGAL;
		if (op == 0x12) {
			v = by_address(shown, true, cmd, real);
			real[0] |= vm;
			return v;
		}
		real[0] = 0x11 | vm | bits(cmd[0], 63, 48) << 48;
		return if_clean(beside(cmd[0], FIELDS(7, 0, 47, 32, 63, 48)) || cmd[1],
				ORACLE_CONVERT);
	case 0x13: /* NH_VAA */
		v = by_address(shown, false, cmd, real);
		real[0] |= vm;
		return v;
	case 0x30: /* NSNH_ALL: all that this guest has */
		real[0] = 0x10 | vm;
		return if_clean(cmd[0] != 0x30 || cmd[1], ORACLE_CONVERT);
	case 0x40:
		return atc(shown, streams, cmd, real);
	case 0x41: /* PRI_RESP; its response 3 is ILLEGAL */
		return if_clean(!bit(shown->idr0, 16) ||
					beside(cmd[0], FIELDS(7, 0, 11, 11, 31, 12, 63, 32)) ||
					beside(cmd[1], FIELDS(8, 0, 13, 12)) ||
					bits(cmd[1], 13, 12) == 3,
				ORACLE_YOURS);
	case 0x46: /* SYNC; CS 3 is reserved */
		return if_clean(beside(cmd[0], FIELDS(7, 0, 13, 12, 23, 22, 27, 24, 63, 32)) ||
					beside(cmd[1], FIELDS(55, 2)) || bits(cmd[0], 13, 12) == 3,
				ORACLE_SYNC);
	default: /* reserved, of stage 2, EL2, EL3, stalls, MPAM, DPT, or IMPLEMENTATION DEFINED */
		return ORACLE_ILLEGAL;
	}
}

bool oracle_own(const uint64_t real[2], uint16_t vmid, bool (*mine)(uint32_t real))
{
	switch (bits(real[0], 7, 0)) {
	case 0x10:
	case 0x11:
	case 0x12:
	case 0x13:
		return bits(real[0], 47, 32) == vmid;
	case 0x05:
	case 0x06:
	case 0x40:
		return !bit(real[0], 10) && mine((uint32_t)bits(real[0], 63, 32));
	default:
		return false;
	}
}

/* ---- STEs (5.2) ---- */

/**
 * Bits that an STE may not have set with the features that a guest is shown; @p pri: PPAR is one of
 * them.
 */
static bool ste_reserved(const uint64_t ste[8], bool pri)
{
	/*
	 * w1: STRW 31:30, MemAttr, MTCFG, ALLOCCFG 40:32, SHCFG 45:44, PRIVCFG, INSTCFG 51:48,
	 * S1PIE, S1MPAM are not shown.
	 */
	if (beside(ste[0], FIELDS(0, 0, 3, 1, 5, 4, 55, 6, 63, 59)) ||
	    beside(ste[1], FIELDS(1, 0, 3, 2, 5, 4, 7, 6, 11, 8, 12, 12, 16, 13, 17, 17, 18, 18, 19,
				  19, 23, 20, 25, 25, 27, 27, 29, 28, 47, 46)))
		return true;
	if (bit(ste[1], 18) && !pri)
		return true;
	/* w2: S2VMID, and stage 2 from T0SZ to S2POE; w3: stage 2. All ignored. */
	if (beside(ste[2], FIELDS(15, 0, 61, 32)) || beside(ste[3], FIELDS(3, 0, 55, 4, 62, 61)))
		return true;
	/* w4 to w7: MPAM, Secure, Realm, THE, S2PO. */
	return ste[4] || ste[5] || ste[6] || ste[7];
}

bool oracle_ste(const struct oracle_ids *shown, const struct oracle_ids *real, bool ats,
		const uint64_t guest[8], uint64_t ste[8])
{
	static const unsigned oas[] = {32, 36, 40, 42, 44, 48, 52, 56};
	unsigned config = bits(guest[0], 3, 1), ssid = bits(shown->idr1, 10, 6);
	unsigned cdmax = bits(guest[0], 63, 59), fmt = bits(guest[0], 5, 4);
	unsigned dss = bits(guest[1], 1, 0), eats = bits(guest[1], 29, 28), zero = 6;
	uint64_t ptr = bits(guest[0], 55, 6) << 6, sh = bits(guest[1], 7, 6);

	if (!bit(guest[0], 0) || config < 4) {
		ste[0] = 1;
		for (unsigned i = 1; i < 8; i++)
			ste[i] = 0;
		return true;
	}
	if (config > 5 || ste_reserved(guest, bit(shown->idr0, 16) && ssid))
		return false;
	ste[1] |= (uint64_t)bit(guest[1], 19) << 19;
	if (config == 4)
		return true;
	if (bit(guest[1], 27)) /* S1STALLD, where nothing stalls */
		return false;
	if (!ssid)
		cdmax = 0;
	if (cdmax > ssid)
		return false;
	if (!cdmax || fmt == 3)
		fmt = 0;
	if (fmt && !bit(shown->idr0, 19))
		return false;
	if (ptr >> oas[bits(shown->idr5, 2, 0)])
		return false;
	/* Split needs both stages; 3 acts as 0 without DPT; all are ignored without ATS. */
	if (bit(shown->idr0, 10) && eats == 2)
		return false;
	/* Bits of the pointer that are 0: CDMax + 5, CDMax - 4, CDMax - 8 and below. */
	if (cdmax)
		zero = fmt == 0   ? cdmax + 6
		       : fmt == 1 ? (cdmax > 9 ? cdmax - 3 : 6)
				  : (cdmax > 13 ? cdmax - 7 : 6);
	ste[0] = 1 | 7 << 1 | (uint64_t)fmt << 4 | ptr >> zero << zero | (uint64_t)cdmax << 59;
	/* Whatever stage 1 the hypervisor's had. */
	ste[1] &= ~(0xffull | 1ull << 27);
	ste[1] |= bits(guest[1], 5, 2) << 2;
	ste[1] |= (sh == 1 ? 0 : sh) << 6;
	ste[1] |= cdmax && dss != 3 ? dss : 0;
	ste[1] |= (uint64_t)(!bits(real->idr0, 25, 24)) << 27;
	if (ats && bit(shown->idr0, 10) && eats == 1)
		ste[1] |= 1 << 28;
	return true;
}
