/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking an STE and a CD apart, and finding what is illegal in them.
 */
#include "internal.h"

/** Address bits of an encoded size (IPS, S2PS, OAS), no more than @p oas. */
static unsigned size_bits(unsigned encoded, unsigned oas)
{
	static const unsigned char size[8] = {32, 36, 40, 42, 44, 48, 52, 52};

	return size[encoded & 7] < oas ? size[encoded & 7] : oas;
}

/** log2 of a granule that the instance has, or 0. @p tg as TG0 and S2TG encode it. */
static unsigned granule_of(const struct instance *in, unsigned tg)
{
	switch (tg) {
	case 0:
		return in->cfg.gran4k ? 12 : 0;
	case 1:
		return in->cfg.gran64k ? 16 : 0;
	case 2:
		return in->cfg.gran16k ? 14 : 0;
	default:
		return 0;
	}
}

/** TG1 has an encoding of its own. */
static unsigned granule1_of(const struct instance *in, unsigned tg)
{
	static const unsigned char as_tg0[4] = {3, 2, 0, 1};

	return granule_of(in, as_tg0[tg & 3]);
}

/** May HA and HD be set (5.4, 5.2)? */
static bool httu_legal(const struct instance *in, bool ha, bool hd)
{
	return !(ha && !in->cfg.httu) && !(hd && in->cfg.httu < 2);
}

static bool s2_decode(const struct instance *in, struct ste *s)
{
	uint64_t w = s->w[2];
	unsigned sl0 = (unsigned)bits(w, 39, 38);

	s->s2t0sz = (unsigned)bits(w, 37, 32);
	s->s2granule = granule_of(in, (unsigned)bits(w, 47, 46));
	s->s2oa = size_bits((unsigned)bits(w, 50, 48), in->cfg.oas);
	s->s2affd = w & BIT(53);
	s->s2ptw = w & BIT(54);
	s->s2r = w & BIT(58);
	s->s2s = w & BIT(57);
	if (!(w & BIT(51)) || (w & BIT(52))) /* S2AA64, S2ENDI */
		return false;
	if (in->cfg.stall_model && s->s2s != (in->cfg.stall_model == 2))
		return false;
	if (!httu_legal(in, w & BIT(56), w & BIT(55)))
		return false;
	s->s2ha = w & BIT(56);
	s->s2hd = s->s2ha && w & BIT(55);
	if (!s->s2granule || sl0 == 3)
		return false;
	s->s2ds = in->cfg.ds && s->s2granule != 16 && s->w[3] & BIT(3);
	if (s->s2granule != 16 && !s->s2ds && s->s2oa > 48)
		s->s2oa = 48;
	s->s2ia = 64 - s->s2t0sz;
	if (s->s2t0sz > 39 ||
	    s->s2ia > (in->cfg.oas > 48 && s->s2granule != 16 && !s->s2ds ? 48 : in->cfg.oas))
		return false;
	s->s2start = s->s2granule == 12 ? 2 - sl0 : 3 - sl0;
	/* The first level that a granule may begin at depends on the size of addresses (VMSAv8-64, stage 2). */
	if (in->cfg.oas <= (s->s2granule == 14 ? 40u : 42u) &&
	    s->s2start == (s->s2granule == 12 ? 0u : 1u))
		return false;

	/* The first table may be up to 16 concatenated ones. */
	unsigned shift = s->s2granule + (3 - s->s2start) * (s->s2granule - 3);

	if (s->s2ia <= shift || s->s2ia - shift > s->s2granule - 3 + 4)
		return false;
	s->s2ttb = s->w[3] & ADDR_51_4;
	if (s->s2ttb >> s->s2oa)
		return false;
	s->s2ttb &= ~(pow2(s->s2ia - shift + 3) - 1);
	return true;
}

static bool s1_decode(const struct instance *in, struct ste *s)
{
	s->s1fmt = (unsigned)bits(s->w[0], 5, 4);
	s->s1ctxptr = s->w[0] & ADDR_55_6;
	s->s1stalld = s->w[1] & BIT(27);
	/* Without substreams S1CDMax is not looked at; the reserved values of S1Fmt and S1DSS act as 0. */
	s->s1cdmax = in->cfg.ssid_bits ? (unsigned)bits(s->w[0], 63, 59) : 0;
	s->s1dss = (unsigned)bits(s->w[1], 1, 0);
	if (s->s1dss == 3)
		s->s1dss = S1DSS_TERMINATE;
	if (s->s1fmt == 3)
		s->s1fmt = 0;
	if (s->s1cdmax > in->cfg.ssid_bits)
		return false;
	if (s->s1stalld && in->cfg.stall_model)
		return false;
	if (s->s1cdmax && s->s1fmt && !in->cfg.two_level_cd)
		return false;
	if (s->config == STE_S1) {
		s->strw = (unsigned)bits(s->w[1], 31, 30);
		/* Without EL2 it is no field (5.2.2, IgnoreSTESTRW). */
		if (!in->cfg.hyp) {
			if (s->strw && in->cfg.check_reserved)
				return false;
			s->strw = STRW_EL1;
		}
		if (s->strw & 1)
			return false;
	}
	return true;
}

/** Bits of no field, or of a field that this part does not have: an SMMU may refuse them (chapter 5). */
static bool ste_reserved(const struct instance *in, const uint64_t w[8])
{
	static const uint64_t none[8] = {
		[0] = 7ULL << 56,  [1] = 7ULL << 41,   [3] = 31ULL << 56 | BIT(63),
		[4] = 63ULL << 40, [5] = 255ULL << 56, [6] = BIT(3) | 31ULL << 56 | BIT(63),
	};

	for (unsigned i = 0; i < 8; i++)
		if (w[i] & none[i])
			return true;
	/* MemAttr, MTCFG, ALLOCCFG, SHCFG; PRIVCFG, INSTCFG (13.1.4). */
	if (!in->cfg.attr_types_ovr && (w[1] & (0x1ffULL << 32 | 3ULL << 44)))
		return true;
	return !in->cfg.attr_perms_ovr && (w[1] & 15ULL << 48);
}

static bool cd_reserved(const uint64_t w[8])
{
	return ((w[1] | w[2]) & 3ULL << 56) || (w[5] & 255ULL << 56) ||
	       ((w[6] | w[7]) & 0xffffULL << 48);
}

/** Take s->w apart. False: the STE is illegal (C_BAD_STE). */
bool model_ste_decode(const struct instance *in, struct ste *s)
{
	if (!(s->w[0] & 1))
		return false;
	s->config = (unsigned)bits(s->w[0], 3, 1);
	if (s->config < STE_BYPASS) {
		s->config = STE_ABORT; /* the reserved encodings too */
		return true;
	}
	s->privcfg = in->cfg.attr_perms_ovr ? (unsigned)bits(s->w[1], 49, 48) : 0;
	s->instcfg = in->cfg.attr_perms_ovr ? (unsigned)bits(s->w[1], 51, 50) : 0;
	if (in->cfg.check_reserved && ste_reserved(in, s->w))
		return false;
	s->eats = in->cfg.ats ? (unsigned)bits(s->w[1], 29, 28) : EATS_OFF;
	if (s->eats == 3)
		s->eats = EATS_OFF;
	if (s->eats == EATS_SPLIT && s->config != STE_NESTED && s->config != STE_BYPASS)
		return false;
	if (((s->config & 1) && !in->cfg.s1) || (s->config >= STE_S2 && !in->cfg.s2))
		return false;
	if (s->config != STE_BYPASS && in->cfg.s2) {
		s->vmid = (uint16_t)bits(s->w[2], 15, 0);
	}
	if ((s->config & 1) && !s1_decode(in, s))
		return false;
	/* A stream of EL2 has no VMID. */
	if (!in->cfg.vmid16 && s->vmid > 0xff && s->strw != STRW_EL2)
		return false;
	if (s->config >= STE_S2 && !s2_decode(in, s))
		return false;
	/* A translation request cannot stall. */
	return s->config < STE_S2 || s->eats == EATS_OFF || !s->s2s;
}

/** Take cd->w apart. False: the CD is illegal (C_BAD_CD). */
bool model_cd_decode(const struct instance *in, const struct ste *ste, struct cd *cd)
{
	uint64_t w = cd->w[0];

	if (!(w & BIT(31)) || !(w & BIT(41))) /* V, AA64 */
		return false;
	if ((w & BIT(15)) && !((w & BIT(14)) && (w & BIT(30)))) /* ENDI, if a half is walked */
		return false;
	if (!httu_legal(in, w & BIT(43), w & BIT(42)))
		return false;
	cd->ha = w & BIT(43);
	cd->hd = cd->ha && w & BIT(42); /* alone it means nothing */
	cd->s = w & BIT(44);
	if (in->cfg.stall_model ? cd->s != (in->cfg.stall_model == 2) : cd->s && ste->s1stalld)
		return false;
	if (in->cfg.check_reserved && cd_reserved(cd->w))
		return false;
	if (in->cfg.term_model && !(w & BIT(46))) /* A: terminate means abort */
		return false;
	cd->oa = size_bits((unsigned)bits(w, 34, 32), in->cfg.oas);
	cd->ds = in->cfg.ds && cd->w[2] & BIT(58);
	cd->affd = w & BIT(35);
	cd->wxn = w & BIT(36);
	cd->r = w & BIT(45);
	cd->asid = (uint16_t)bits(w, 63, 48);
	/* EL2 without E2H has no ASID. */
	if (!in->cfg.asid16 && cd->asid > 0xff &&
	    !(ste->strw == STRW_EL2 && !(in->r.cr2 & CR2_E2H)))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		struct cd_half *h = &cd->half[i];
		unsigned at = i * 16;
		unsigned tg = (unsigned)bits(w, at + 7, at + 6);

		/* EL2 without E2H has no upper half, and no EPD0. */
		h->off =
			ste->strw == STRW_EL2 && !(in->r.cr2 & CR2_E2H) ? i == 1 : w & BIT(at + 14);
		h->tbi = w & BIT(38 + i);
		if (h->off)
			continue;
		h->tsz = (unsigned)bits(w, at + 5, at);
		h->granule = i ? granule1_of(in, tg) : granule_of(in, tg);
		h->had = cd->w[1 + i] & BIT(1);
		h->ttb = cd->w[1 + i] & ADDR_51_4;
		if (!h->granule)
			return false;
		if (h->tsz > 39 ||
		    h->tsz < (in->cfg.va52 && (h->granule == 16 || cd->ds) ? 12u : 16u))
			return false;
		if (h->ttb >> cd->oa || (h->granule != 16 && !cd->ds && h->ttb >> 48))
			return false;
	}
	return true;
}
