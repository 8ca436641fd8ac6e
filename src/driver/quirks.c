/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errata of parts. Sources are public: what Linux publishes in Documentation/arch/arm64/silicon-errata.rst, in the device tree
 * binding iommu/arm,smmu-v3.yaml, and in the announcements of its workarounds; the IORT specification (Arm DEN 0049) for models.
 *
 * Errata that need nothing here, as this driver does not do what they are about:
 *
 *   HiSilicon Hip06, Hip07 161010701   CMD_PREFETCH_* must not be sent (silicon-errata.rst; property
 *                                      hisilicon,broken-prefetch-cmd, IORT model 1): none is.
 *   HiSilicon Hip06, Hip07 161010801   interrupt messages of PCIe devices do not pass through the SMMU (silicon-errata.rst):
 *                                      for who maps their doorbell, which is to be left alone.
 *   Cavium ThunderX2 126               all interrupts share one line (silicon-errata.rst): the handlers of an instance
 *                                      may be called for each other's.
 *   Arm MMU-700 2812531, in part       TLB maintenance broadcast by processors: not taken part in (CR2.PTM).
 */
#include <smmuv3/hw/regs.h>
#include <smmuv3/quirks.h>

#define ARM 0x43bu
#define MMU_600 0x483u
#define MMU_700 0x487u
#define ANY 0xffu

struct part {
	uint32_t implementer, product; /* of IIDR; 0: not told by it */
	uint8_t below_variant,
		most_revision; /* variant < below_variant, revision <= most_revision */
	uint32_t model;        /* of IORT; 0: not told by it */
	const char *dt_name;
	uint32_t quirks;
};

static const struct part parts[] = {
	/* Arm MMU-600 r0p0 to r0p2, 1076982: wake-up events (silicon-errata.rst). */
	{ARM, MMU_600, 1, 2, 0, NULL, SMMU_QUIRK_NO_SEV},
	/* Arm MMU-600 before r2, 1209401: TLB maintenance while both stages are in use (silicon-errata.rst). */
	{ARM, MMU_600, 2, ANY, 0, NULL, SMMU_QUIRK_NO_NESTED},
	/* Arm MMU-700, 2812531: sequences of invalidations of different kinds; 2268618: both stages (silicon-errata.rst). */
	{ARM, MMU_700, ANY, ANY, 0, NULL, SMMU_QUIRK_ONE_KIND | SMMU_QUIRK_NO_NESTED},
	/* Cavium ThunderX2 CN99xx, 74: no page 1 (silicon-errata.rst; the binding's property). */
	{0, 0, 0, 0, SMMU_IORT_MODEL_CAVIUM_CN99XX, "cavium,cn9900-broken-page1-regspace",
	 SMMU_QUIRK_PAGE0_ONLY},
	/* Nvidia Tegra264: an entry may survive one CFGI or TLBI (announcement of Linux's workaround; the binding). */
	{0, 0, 0, 0, 0, "nvidia,tegra264-smmu", SMMU_QUIRK_TWICE},
};

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool is_part(const struct part *p, uint32_t iidr, uint32_t model, const char *dt_name)
{
	if (p->model && p->model == model)
		return true;
	if (p->dt_name && dt_name && same(p->dt_name, dt_name))
		return true;
	return p->implementer && smmu_field_get(SMMU_IIDR_IMPLEMENTER, iidr) == p->implementer &&
	       smmu_field_get(SMMU_IIDR_PRODUCTID, iidr) == p->product &&
	       smmu_field_get(SMMU_IIDR_VARIANT, iidr) < p->below_variant &&
	       smmu_field_get(SMMU_IIDR_REVISION, iidr) <= p->most_revision;
}

uint32_t smmu_quirks_from(uint32_t iidr, uint32_t iort_model, const char *dt_name)
{
	uint32_t quirks = 0;

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(parts); i++)
		if (is_part(&parts[i], iidr, iort_model, dt_name))
			quirks |= parts[i].quirks;
	return quirks;
}
