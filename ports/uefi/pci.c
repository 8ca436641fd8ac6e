/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a PCI function is, and under which requester ids its accesses arrive at the root complex. */
#include "driver.h"

#define CFG_HEADER_TYPE 0x0eu
#define CFG_STATUS 0x06u
#define CFG_STATUS_CAPS 0x10u
#define CFG_CAPS 0x34u
#define CFG_SECONDARY 0x19u
#define HEADER_BRIDGE 1u
#define CAP_EXPRESS 0x10u
#define EXPRESS_TO_PCI 7u /* PCI Express Base, 7.5.3.2: PCI Express to PCI/PCI-X bridge */
#define NOT_EXPRESS ~0u
#define MOST_CAPS 48u /* as many as fit into 256 bytes */
#define MOST_DEPTH 32u

static struct efi_pci_io *pci_io(efi_handle handle)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_PCI_IO;
	void *io;

	return efi_failed(uefi_system->boot->handle_protocol(handle, &guid, &io)) ? NULL : io;
}

static uint8_t read8(struct efi_pci_io *io, uint32_t offset)
{
	uint8_t value = 0xff;

	io->pci_read(io, SMMU_EFI_PCI_8, offset, 1, &value);
	return value;
}

bool uefi_pci_location(efi_handle handle, uint32_t *segment, uint32_t *requester)
{
	struct efi_pci_io *io = handle ? pci_io(handle) : NULL;
	uintptr_t seg, bus, device, function;

	if (!io || efi_failed(io->get_location(io, &seg, &bus, &device, &function)))
		return false;
	*segment = (uint32_t)seg;
	*requester = (uint32_t)(bus << 8 | device << 3 | function);
	return true;
}

/* The type of an express function, or NOT_EXPRESS. */
static uint32_t express_type(struct efi_pci_io *io)
{
	uint8_t at;

	if (!(read8(io, CFG_STATUS) & CFG_STATUS_CAPS))
		return NOT_EXPRESS;
	at = read8(io, CFG_CAPS) & 0xfc;
	for (unsigned i = 0; i < MOST_CAPS && at >= 0x40; i++) {
		if (read8(io, at) == CAP_EXPRESS)
			return read8(io, at + 2u) >> 4;
		at = read8(io, at + 1u) & 0xfc;
	}
	return NOT_EXPRESS;
}

/* The bridge whose secondary side is @p bus; false: it is a root bus. */
static bool bridge_to(efi_handle *handles, uintptr_t n, uint32_t segment, uint32_t bus,
		      uint32_t *requester, uint32_t *type)
{
	for (uintptr_t i = 0; i < n; i++) {
		struct efi_pci_io *io = pci_io(handles[i]);
		uint32_t seg;

		if (!io || !uefi_pci_location(handles[i], &seg, requester) || seg != segment ||
		    (read8(io, CFG_HEADER_TYPE) & 0x7f) != HEADER_BRIDGE ||
		    read8(io, CFG_SECONDARY) != bus)
			continue;
		*type = express_type(io);
		return true;
	}
	return false;
}

/*
 * Upward, bridge by bridge: one from PCI Express to PCI passes accesses under its secondary bus, device and function 0; one of
 * conventional PCI under its own id. Express ports change nothing.
 */
unsigned uefi_pci_aliases(uint32_t segment, uint32_t requester, uint32_t alias[UEFI_ALIASES])
{
	static const struct efi_guid guid = SMMU_EFI_GUID_PCI_IO;
	uint32_t bus = requester >> 8, bridge, type;
	efi_handle *handles;
	uintptr_t n;
	unsigned found = 0;

	if (efi_failed(uefi_system->boot->locate_handle_buffer(SMMU_EFI_LOCATE_PROTOCOL, &guid,
							       NULL, &n, &handles)))
		return 0;
	for (unsigned depth = 0;
	     depth < MOST_DEPTH && bridge_to(handles, n, segment, bus, &bridge, &type); depth++) {
		uint32_t as = type == EXPRESS_TO_PCI ? bus << 8 : bridge;

		bus = bridge >> 8;
		if (type != NOT_EXPRESS && type != EXPRESS_TO_PCI)
			continue;
		if (found == UEFI_ALIASES)
			found--; /* the outermost are what arrives */
		alias[found++] = as;
	}
	uefi_system->boot->free_pool(handles);
	return found;
}
