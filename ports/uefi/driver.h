/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file driver.h
 * The state of the driver, and what its files do for each other. All of it is called at TPL_NOTIFY: whoever comes from outside
 * (a protocol function, an event) enters with uefi_enter(). Private to ports/uefi.
 */
#ifndef SMMU_UEFI_DRIVER_H
#define SMMU_UEFI_DRIVER_H

#include "grants.h"
#include "info.h"
#include "plan.h"
#include "shadow.h"
#include "system.h"

#include "topology.h"

#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/instance.h>

/** One SMMU of the table. */
struct uefi_smmu {
	struct smmu_instance instance;
	struct smmu_uefi_side side;
	const struct smmu_topology_smmu *told;
	bool up;
	bool broken; /**< it was taken over and did not come up: its streams abort, or nobody knows */
	bool reserved; /**< a reserved range of memory has streams on it */
	uint64_t events;
	char name[32];
};

/** An address space: the devices of one requester, those that share a stream with it, or all (uefi_policy.shared). */
struct uefi_space {
	struct uefi_space *next;
	struct smmu_domain domain;
	struct uefi_grants grants;
	uint32_t id;
};

enum uefi_stream_use {
	UEFI_STREAM_PCI,
	UEFI_STREAM_RESERVED, /**< a reserved range of memory names it; a PCI device may be found to have it as well */
	UEFI_STREAM_IDENTITY, /**< a named component: nobody maps for it */
};

/** A stream that the driver gave to an SMMU. */
struct uefi_stream {
	struct uefi_stream *next;
	struct uefi_smmu *smmu;
	struct smmu_device device;
	struct uefi_space *space; /**< NULL: identity */
	uint32_t sid;
	enum uefi_stream_use use;
};

/** A PCI function that was seen. */
struct uefi_function {
	struct uefi_function *next;
	uint32_t segment, requester;
	struct uefi_space *space; /**< NULL: it is behind no SMMUv3 that is up */
	bool dead;                /**< behind one that could not be brought up */
	uint64_t maps;
};

/** A block of AllocateBuffer. */
struct uefi_buffer {
	struct uefi_buffer *next;
	uint64_t first, end;   /**< what the caller has, rounded to whole units */
	uint64_t host, pages;  /**< what it knows of */
	uint64_t at, at_pages; /**< what was taken from the firmware */
};

/** What is granted to the devices of one space for a mapping. */
struct uefi_share {
	struct uefi_share *next;
	struct uefi_space *space;
	struct uefi_grant grant;
};

/** A mapping: its address is the token of Map(). */
struct uefi_mapping {
	struct uefi_mapping *next;
	uint64_t host, bytes, device;
	struct uefi_plan plan;
	struct uefi_shadow *shadow;
	struct uefi_share *shares;
	bool filled; /**< the shadow has what the host's buffer had */
};

/** What the embedder chooses: build options, or the variable of docs/uefi.md. */
struct uefi_policy {
	uint8_t exit;   /**< enum uefi_exit */
	bool shared;    /**< one space for all devices */
	bool flush_all; /**< for comparison: keep nothing mapped, and flush whole address spaces */
};

struct uefi_driver {
	struct uefi_policy policy;
	struct smmu_topology topology;
	struct uefi_smmu *smmu; /**< topology.n_smmus of them */
	struct uefi_limits limits;
	enum smmu_domain_kind kind; /**< of all spaces */
	struct uefi_space *spaces;
	struct uefi_stream *streams;
	struct uefi_function *functions;
	struct uefi_buffer *buffers;
	struct uefi_mapping *mappings;
	struct uefi_shadows shadows;
	struct smmu_domain identity;
	struct uefi_stats stats;
	struct uefi_event_ring events;
	struct uefi_handover *handover;
	uint32_t next_space;
};

extern struct uefi_driver uefi;

/** @name SMMUs (machine.c) @{ */
/** Read the IORT. SUCCESS: there is an SMMUv3 in it. UNSUPPORTED: no such table, or no SMMUv3; the log has why. */
efi_status uefi_machine_read(void);
/** Probe every SMMU: nothing is written to any. UNSUPPORTED: none can be used. */
efi_status uefi_machine_probe(void);
/** Bring them up: every stream aborts from here on. DEVICE_ERROR: not one came up. */
efi_status uefi_machine_enable(void);
/**
 * Let go of the SMMUs that were held back while their reserved memory was mapped: SMMUEN first, and GBPA.ABORT when it does not
 * matter any more.
 */
void uefi_machine_let_go(void);
/** Take all SMMUs away again, and what was allocated. */
void uefi_machine_stop(void);
/** @} */

/** @name Devices and spaces (devices.c, pci.c) @{ */
/** Reserved ranges of memory and named components get their streams. */
void uefi_devices_reserve(void);
/** The function behind @p handle, with its streams added on first sight. NULL: it has no PCI I/O protocol, or no memory. */
struct uefi_function *uefi_function_of(efi_handle handle);
/** Look at each PCI function that is there. */
void uefi_devices_learn(void);
void uefi_devices_stop(void);

#define UEFI_ALIASES 4u
/** The location of @p handle: false: no PCI I/O protocol. */
bool uefi_pci_location(efi_handle handle, uint32_t *segment, uint32_t *requester);
/** Requester ids, other than its own, by which bridges above @p requester let its accesses pass; the outermost last. */
unsigned uefi_pci_aliases(uint32_t segment, uint32_t requester, uint32_t alias[UEFI_ALIASES]);
/** @} */

/** @name The protocol (iommu.c, buffers.c) @{ */
extern struct edkii_iommu uefi_iommu;
void uefi_iommu_start(void);
int uefi_space_change(void *ctx, uint64_t first, uint64_t end, uint32_t from, uint32_t to);
efi_status uefi_allocate_buffer(struct edkii_iommu *self, uint32_t type, uint32_t memory,
				uintptr_t pages, void **host, uint64_t attributes);
efi_status uefi_free_buffer(struct edkii_iommu *self, uintptr_t pages, void *host);
/** @p first to @p end lies in one block of AllocateBuffer. */
bool uefi_buffer_has(uint64_t first, uint64_t end);
/** Pages from the firmware, aligned to a unit, that end at @p below or before; false: none. */
bool uefi_pages(uint32_t type, uint64_t size, uint64_t below, uint64_t *at, uint64_t *taken,
		uint64_t *taken_pages);
/** @} */

/** @name Later (events.c, handover.c, info.c) @{ */
/** Take what SMMUs recorded: events into the ring, errors into the log. */
void uefi_poll(void);
efi_status uefi_events_start(void);
void uefi_events_stop(void);
efi_status uefi_handover_prepare(void);
void uefi_handover_cancel(void);
void uefi_handover(void);
extern struct smmu_uefi_info uefi_info;
/** @} */

#endif
