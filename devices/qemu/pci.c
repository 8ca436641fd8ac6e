/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration through the ECAM window. Register names and offsets are those of the PCI specifications. */
#include "pci.h"

#include <smmuv3/types.h>

#define CFG_ID 0x00u
#define CFG_COMMAND 0x04u
#define COMMAND_MEMORY SMMU_BIT(1)
#define COMMAND_MASTER SMMU_BIT(2)
#define COMMAND_INTX_OFF SMMU_BIT(10)
#define STATUS_HAS_CAPS SMMU_BIT(20)
#define CFG_HEADER 0x0cu
#define HEADER_TYPE SMMU_MASK(22, 16)
#define HEADER_MULTIFUNCTION SMMU_BIT(23)
#define CFG_BAR0 0x10u
#define BAR_IO SMMU_BIT(0)
#define BAR_64BIT SMMU_BIT(2)
#define CFG_CAPS 0x34u
#define CAP_MSI 0x05u
#define CAP_MSIX 0x11u
#define MSI_ENABLE SMMU_BIT(16)
#define MSIX_ENABLE SMMU_BIT(31)

/* A bridge's. */
#define CFG_BUSES 0x18u
#define CFG_IO_WINDOW 0x1cu
#define CFG_MEM_WINDOW 0x20u
#define CFG_PREF_WINDOW 0x24u
#define BRIDGE_BARS 2u
#define ENDPOINT_BARS 6u
#define WINDOW_ALIGN 0x100000u

static uint64_t config_addr(const struct pci_host *host, uint8_t bus, uint8_t devfn,
			    uint32_t offset)
{
	return host->ecam + ((uint64_t)bus << 20) + ((uint64_t)devfn << 12) + offset;
}

uint32_t pci_config_read(const struct pci_host *host, uint8_t bus, uint8_t devfn, uint32_t offset)
{
	struct qtest_op op = {QTEST_READ32, config_addr(host, bus, devfn, offset), 0};

	qtest_run(host->qtest, &op, 1);
	return (uint32_t)op.value;
}

int pci_config_write(const struct pci_host *host, uint8_t bus, uint8_t devfn, uint32_t offset,
		     uint32_t value)
{
	return qtest_post(host->qtest, QTEST_WRITE32, config_addr(host, bus, devfn, offset), value);
}

/* Find out how large each memory BAR is and place it; bar0 gets the first one's address. */
static int place_bars(struct pci_host *host, uint8_t bus, uint8_t devfn, unsigned bars,
		      uint64_t *bar0)
{
	unsigned i;

	*bar0 = 0;
	for (i = 0; i < bars; i++) {
		uint32_t offset = CFG_BAR0 + 4 * i, mask;
		uint64_t size, at;

		pci_config_write(host, bus, devfn, offset, UINT32_MAX);
		mask = pci_config_read(host, bus, devfn, offset);
		if (mask == 0 || mask == UINT32_MAX || (mask & BAR_IO)) {
			pci_config_write(host, bus, devfn, offset, 0);
			continue;
		}
		size = -(uint64_t)(mask & ~0xfu) & UINT32_MAX;
		at = smmu_align_up(host->cursor, size);
		if (size > host->limit || at > host->limit - size)
			return -SMMU_ENOSPC;
		host->cursor = at + size;
		pci_config_write(host, bus, devfn, offset, (uint32_t)at);
		if (i == 0)
			*bar0 = at;
		if (mask & BAR_64BIT)
			pci_config_write(host, bus, devfn, CFG_BAR0 + 4 * ++i, 0);
	}
	return 0;
}

/* Interrupts of devices are not what is looked at here: neither messages nor lines. */
static void silence(struct pci_host *host, uint8_t bus, uint8_t devfn, uint32_t command)
{
	uint32_t at = pci_config_read(host, bus, devfn, CFG_CAPS) & 0xfc, word;
	unsigned hops;

	if (!(command & STATUS_HAS_CAPS))
		return;
	for (hops = 0; at && hops < 48; hops++, at = (word >> 8) & 0xfc) {
		word = pci_config_read(host, bus, devfn, at);
		if ((word & 0xff) == CAP_MSI)
			pci_config_write(host, bus, devfn, at, word & ~(uint32_t)MSI_ENABLE);
		if ((word & 0xff) == CAP_MSIX)
			pci_config_write(host, bus, devfn, at, word & ~(uint32_t)MSIX_ENABLE);
	}
}

static int add_endpoint(struct pci_host *host, uint8_t bus, uint8_t devfn, uint32_t id)
{
	uint32_t command = pci_config_read(host, bus, devfn, CFG_COMMAND);
	uint64_t bar0;
	int rc = place_bars(host, bus, devfn, ENDPOINT_BARS, &bar0);

	if (rc)
		return rc;
	silence(host, bus, devfn, command);
	/* The status half is write-one-to-clear: zeros leave it. */
	rc = pci_config_write(host, bus, devfn, CFG_COMMAND,
			      COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF);
	if (host->count == host->capacity)
		return -SMMU_ENOSPC;
	host->function[host->count++] = (struct pci_function){bus, devfn, id, bar0};
	return rc;
}

/* One bus. With @p next not NULL bridges are opened, taking their bus numbers from it; else they are passed over. */
static int scan(struct pci_host *host, uint8_t bus, uint8_t *next);

static int open_bridge(struct pci_host *host, uint8_t bus, uint8_t devfn, uint8_t secondary)
{
	uint64_t unused, first, end;
	int rc = place_bars(host, bus, devfn, BRIDGE_BARS, &unused);

	if (rc)
		return rc;
	pci_config_write(host, bus, devfn, CFG_BUSES,
			 bus | (uint32_t)secondary << 8 | (uint32_t)secondary << 16);
	host->cursor = first = smmu_align_up(host->cursor, WINDOW_ALIGN);
	rc = scan(host, secondary, NULL);
	if (rc)
		return rc;
	host->cursor = end = smmu_align_up(host->cursor, WINDOW_ALIGN);
	if (end > host->limit)
		return -SMMU_ENOSPC;
	/* Base above limit closes a window: port I/O, prefetchable, and memory if nothing needs it. */
	pci_config_write(host, bus, devfn, CFG_IO_WINDOW, 0x000000f0);
	pci_config_write(host, bus, devfn, CFG_PREF_WINDOW, 0x0000fff0);
	pci_config_write(host, bus, devfn, CFG_MEM_WINDOW,
			 end > first ? ((uint32_t)(end - 1) & 0xfff00000) | (uint32_t)first >> 16
				     : 0x0000fff0);
	return pci_config_write(host, bus, devfn, CFG_COMMAND,
				COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF);
}

static int scan(struct pci_host *host, uint8_t bus, uint8_t *next)
{
	unsigned devfn;

	for (devfn = 0; devfn < 256; devfn++) {
		uint32_t id = pci_config_read(host, bus, (uint8_t)devfn, CFG_ID), header;
		int rc = 0;

		if (qtest_death(host->qtest) != QTEST_ALIVE)
			return -SMMU_EIO;
		if ((id & 0xffff) == 0xffff) {
			if (devfn % 8 == 0)
				devfn += 7; /* no function 0: an empty slot */
			continue;
		}
		header = pci_config_read(host, bus, (uint8_t)devfn, CFG_HEADER);
		if (smmu_field_get(HEADER_TYPE, header) == 0)
			rc = add_endpoint(host, bus, (uint8_t)devfn, id);
		else if (next)
			rc = open_bridge(host, bus, (uint8_t)devfn, (*next)++);
		if (rc)
			return rc;
		if (devfn % 8 == 0 && !(header & HEADER_MULTIFUNCTION))
			devfn += 7;
	}
	return 0;
}

int pci_setup(struct pci_host *host, uint8_t bus)
{
	uint8_t next = (uint8_t)(bus + 1);

	return scan(host, bus, &next);
}
