/* SPDX-License-Identifier: BSD-2-Clause */
/* From the firmware's tables to SMMUs that are up. */
#include "acpi.h"
#include "driver.h"

#include <smmuv3/hw/regs.h>

#define WARNINGS_SHOWN 8u
#define IORT_MOST 0x100000u /* bytes: what says that it has more is cut here */
#define REGISTER_BYTES 0x20000u
#define REGISTER_ALIGN 0x10000u

struct uefi_driver uefi;

/* How many of the @p length bytes at @p table are memory, as far as the firmware can tell: a table may state any length. */
static uint32_t readable(const void *table, uint32_t length)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_DXE_SERVICES;
	struct efi_dxe_services *dxe = uefi_configuration_table(&guid);
	uint64_t from = (uintptr_t)table, at = from, end = from + length;
	struct efi_space_descriptor d;

	while (dxe && at < end) {
		if (efi_failed(dxe->get_memory_space_descriptor(at, &d)) || !d.length ||
		    (d.type != SMMU_EFI_SPACE_MEMORY && d.type != SMMU_EFI_SPACE_RESERVED))
			return (uint32_t)(at - from);
		at = d.base + d.length;
	}
	return length;
}

efi_status uefi_machine_read(void)
{
	static const struct efi_guid acpi = SMMU_EFI_GUID_ACPI20;
	char err[UEFI_LOG_BYTES] = "";
	const void *iort;
	uint32_t length;
	int error;

	iort = uefi_acpi_find(uefi_configuration_table(&acpi), "IORT", &length);
	if (!iort) {
		uefi_say(SMMU_LOG_WARN, "no IORT among the ACPI tables: no SMMU to drive");
		return SMMU_EFI_UNSUPPORTED;
	}
	length = readable(iort, length < IORT_MOST ? length : IORT_MOST);
	error = smmu_topology_from_iort(iort, length, 0, &uefi.topology, err, sizeof(err));
	if (error) {
		uefi_say(SMMU_LOG_ERROR, "the IORT cannot be read:");
		uefi_say(SMMU_LOG_ERROR, err);
		return error == -SMMU_ENOMEM ? SMMU_EFI_OUT_OF_RESOURCES : SMMU_EFI_UNSUPPORTED;
	}
	for (size_t i = 0; i < uefi.topology.n_warnings && i < WARNINGS_SHOWN; i++)
		uefi_say(SMMU_LOG_WARN, uefi.topology.warnings[i]);
	for (size_t i = 0; i < uefi.topology.n_others; i++) {
		const struct smmu_topology_other *o = &uefi.topology.others[i];

		if (o->has_base)
			uefi_say_value(SMMU_LOG_INFO, o->name, o->kind, o->base);
	}
	if (uefi.topology.n_smmus)
		return SMMU_EFI_SUCCESS;
	uefi_say(SMMU_LOG_WARN, "the IORT has no SMMUv3: nothing to drive");
	return SMMU_EFI_UNSUPPORTED;
}

/*
 * Registers have to be where no memory is, and mapped as a device: a table is not believed that says otherwise. The
 * services of the DXE phase know; without them the address is believed.
 */
static bool registers_there(uint64_t base)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_DXE_SERVICES;
	struct efi_dxe_services *dxe = uefi_configuration_table(&guid);
	struct efi_space_descriptor d;

	if (!base || base % REGISTER_ALIGN || base > (1ull << 52) - REGISTER_BYTES)
		return false;
	if (!dxe)
		return true;
	for (uint64_t at = base; at < base + REGISTER_BYTES; at = d.base + d.length) {
		if (efi_failed(dxe->get_memory_space_descriptor(at, &d)) || !d.length)
			return false;
		if (d.type == SMMU_EFI_SPACE_MEMORY || d.type > SMMU_EFI_SPACE_MMIO)
			return false;
		if (d.type != SMMU_EFI_SPACE_NONE)
			continue;
		/* Nobody has claimed it yet: it is not mapped either. */
		if (efi_failed(dxe->add_memory_space(SMMU_EFI_SPACE_MMIO, base, REGISTER_BYTES,
						     SMMU_EFI_SPACE_UC)) ||
		    efi_failed(dxe->set_memory_space_attributes(base, REGISTER_BYTES,
								SMMU_EFI_SPACE_UC)))
			return false;
		break;
	}
	return true;
}

static void name_it(struct uefi_smmu *s)
{
	struct smmu_text t;

	smmu_text_init(&t, s->name, sizeof(s->name));
	smmu_text_str(&t, "smmu");
	smmu_text_dec(&t, s->told->index);
	smmu_text_char(&t, '@');
	smmu_text_hex(&t, s->told->base, 1);
}

static void probe(struct uefi_smmu *s)
{
	struct smmu_instance_config cfg = {
		.port = &uefi_port,
		.mmio = {.base = (volatile uint8_t *)(uintptr_t)s->told->base, .side = &s->side},
		.index = s->told->index,
		.name = s->name,
		.coherent_override = s->told->coherent,
		.cmdq_log2 = 8,
		.evtq_log2 = 7,
		.quirks = smmu_quirks_from(0, s->told->model, NULL) |
			  (s->told->page0_only ? SMMU_QUIRK_PAGE0_ONLY : 0),
	};

	if (!registers_there(s->told->base)) {
		uefi_say(SMMU_LOG_ERROR, s->name);
		uefi_say(SMMU_LOG_ERROR, "  the IORT puts its registers where there are none");
		return;
	}
	/* The prober decides, and has said what it refused. */
	s->up = !smmu_instance_probe(&s->instance, &cfg);
}

/* One table format and one unit that all of them have: Map() has to answer before it knows the device. */
static bool find_common(void)
{
	uint32_t all = ~0u;
	uint8_t oas = 48;

	for (size_t i = 0; i < uefi.topology.n_smmus; i++) {
		const struct smmu_features *f = &uefi.smmu[i].instance.features;

		if (!uefi.smmu[i].up)
			continue;
		all &= f->bits;
		oas = f->oas < oas ? f->oas : oas;
	}
	uefi.limits.granule = all & SMMU_FEAT_4K    ? 0x1000
			      : all & SMMU_FEAT_16K ? 0x4000
			      : all & SMMU_FEAT_64K ? 0x10000
						    : 0;
	uefi.limits.reach = 1ull << oas;
	uefi.kind = all & SMMU_FEAT_S1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
	if (uefi.limits.granule && all & (SMMU_FEAT_S1 | SMMU_FEAT_S2))
		return true;
	uefi_say(SMMU_LOG_ERROR, "the SMMUs have no table format in common: none is used");
	return false;
}

efi_status uefi_machine_probe(void)
{
	size_t up = 0;

	uefi.smmu = uefi_alloc(uefi.topology.n_smmus * sizeof(*uefi.smmu));
	if (!uefi.smmu)
		return SMMU_EFI_OUT_OF_RESOURCES;
	for (size_t i = 0; i < uefi.topology.n_smmus; i++) {
		struct uefi_smmu *s = &uefi.smmu[i];

		s->told = &uefi.topology.smmus[i];
		name_it(s);
		probe(s);
		up += s->up;
	}
	for (size_t i = 0; i < uefi.topology.n_reserved; i++)
		uefi.smmu[uefi.topology.reserved[i].smmu].reserved = true;
	return up && find_common() ? SMMU_EFI_SUCCESS : SMMU_EFI_UNSUPPORTED;
}

/* The registers of an SMMU whose tables must not go away with boot services. */
static uint32_t memory_type(void)
{
	if (uefi.policy.exit != UEFI_EXIT_ABORT || uefi.topology.n_reserved)
		return SMMU_EFI_RESERVED;
	return SMMU_EFI_BOOT_DATA;
}

/*
 * Traffic that nobody mapped for must not stop, where the table tells of it: reserved memory is in use by a device right now, and
 * named components by drivers that know of no SMMU. If the SMMU is off and lets all traffic through, it goes on doing so
 * until those streams have their translations. One that is on, or aborts, is taken over at once: it has let none of
 * that through, or it is another owner's.
 */
static bool hold_back(struct uefi_smmu *s)
{
	const struct smmu_mmio *m = &s->instance.mmio;
	bool needed = s->reserved;

	for (size_t i = 0; i < uefi.topology.n_roots && !needed; i++) {
		const struct smmu_topology_root *root = &uefi.topology.roots[i];

		for (size_t k = 0; k < root->n_streams; k++)
			needed |= root->kind == SMMU_TOPOLOGY_NAMED_COMPONENT &&
				  &uefi.smmu[root->streams[k].smmu] == s;
	}
	if (!needed || (smmu_mmio_read32(m, SMMU_CR0) | smmu_mmio_read32(m, SMMU_CR0ACK)) & 1)
		return false;
	s->side.held_gbpa = smmu_mmio_read32(m, SMMU_GBPA);
	s->side.held_cr0 = 0;
	return !(s->side.held_gbpa & (uint32_t)(SMMU_GBPA_ABORT | SMMU_GBPA_UPDATE));
}

static bool await(struct uefi_smmu *s, uint32_t offset, uint32_t mask, uint32_t value)
{
	const struct smmu_mmio *m = &s->instance.mmio;
	uint64_t start = smmu_port_now(&uefi_port);

	while ((smmu_mmio_read32(m, offset) & mask) != value)
		if (smmu_port_now(&uefi_port) - start > s->instance.cfg.timeout_ns)
			return false;
	return true;
}

static bool let_go(struct uefi_smmu *s)
{
	const struct smmu_mmio *m = &s->instance.mmio;
	uint32_t abort = (uint32_t)SMMU_GBPA_ABORT, update = (uint32_t)SMMU_GBPA_UPDATE;
	uint32_t enable = s->side.held_cr0, gbpa = s->side.held_gbpa;

	s->side.held = false;
	/* Stream table, context descriptors and tables are in memory before the SMMU looks at them. */
	smmu_mb();
	smmu_mmio_write32(m, SMMU_CR0, smmu_mmio_read32(m, SMMU_CR0) | enable);
	if (!await(s, SMMU_CR0ACK, (uint32_t)SMMU_CR0_SMMUEN, enable))
		return false;
	smmu_mmio_write32(m, SMMU_GBPA, gbpa | abort | update);
	return await(s, SMMU_GBPA, update | abort, abort);
}

void uefi_machine_let_go(void)
{
	for (size_t i = 0; i < uefi.topology.n_smmus; i++) {
		struct uefi_smmu *s = &uefi.smmu[i];

		if (!s->side.held || let_go(s))
			continue;
		uefi_say(SMMU_LOG_ERROR, s->name);
		uefi_say(SMMU_LOG_ERROR, "  does not confirm that it is enabled");
	}
}

efi_status uefi_machine_enable(void)
{
	struct smmu_domain_config identity = {.port = &uefi_port, .kind = SMMU_DOMAIN_IDENTITY};
	size_t up = 0;

	if (!uefi_memory_start(memory_type(), uefi.limits.reach))
		return SMMU_EFI_OUT_OF_RESOURCES;
	if (smmu_domain_init(&uefi.identity, &identity))
		return SMMU_EFI_OUT_OF_RESOURCES;
	for (size_t i = 0; i < uefi.topology.n_smmus; i++) {
		struct uefi_smmu *s = &uefi.smmu[i];

		if (!s->up)
			continue;
		s->side.held = hold_back(s);
		s->up = !smmu_instance_enable(&s->instance);
		/* One that did not come up is left as the library left it, for good. */
		if (!s->up && s->side.held && !let_go(s))
			uefi_say(SMMU_LOG_ERROR, "and its traffic cannot be stopped");
		s->broken = !s->up;
		up += s->up;
	}
	return up ? SMMU_EFI_SUCCESS : SMMU_EFI_DEVICE_ERROR;
}

void uefi_machine_stop(void)
{
	bool held = false;

	uefi_devices_stop();
	if (uefi.smmu)
		for (size_t i = 0; i < uefi.topology.n_smmus; i++)
			held |= smmu_instance_remove(&uefi.smmu[i].instance) != 0;
	smmu_domain_fini(&uefi.identity);
	if (held)
		return; /* an SMMU may still read what it was given: it stays */
	uefi_memory_stop();
	uefi_free(uefi.smmu);
	uefi.smmu = NULL;
	smmu_topology_free(&uefi.topology);
}
