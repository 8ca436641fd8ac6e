/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SmmuV3Dxe.efi: where the firmware enters. In this order, so that no device is let through by accident and none is cut off
 * in the middle of a transfer:
 *
 *   1. Read the IORT and probe: nothing is changed yet, and who finds no SMMUv3 leaves without a trace.
 *   2. Disconnect the drivers of PCI devices: their transfers end, and what they mapped before is given back, to the services
 *      that they had it from.
 *   3. Bring up the SMMUs: every stream aborts. Streams with reserved memory, and those of named components, have their
 *      translations before SMMUEN is set: their traffic does not stop for a moment (uefi_machine_let_go).
 *   4. Install the protocol, which the host bridge's driver is told of.
 *   5. Connect again: the PCI bus driver looks the protocol up when it starts.
 */
#include "driver.h"

/* What the SMMUs are left as, unless the variable says otherwise. */
#ifndef SMMU_UEFI_EXIT
#define SMMU_UEFI_EXIT UEFI_EXIT_ABORT
#endif
#define COPY_MAX 0x10000u

static const struct efi_guid iommu_guid = SMMU_EFI_GUID_EDKII_IOMMU;
static const struct efi_guid info_guid = SMMU_UEFI_GUID_INFO;
static const struct efi_guid bridge_guid = SMMU_EFI_GUID_PCI_ROOT_BRIDGE_IO;
static const struct efi_guid function_guid = SMMU_EFI_GUID_PCI_IO;

efi_status smmu_uefi_main(efi_handle image, struct efi_system_table *system);

/* The variable SmmuV3Policy: a byte enum uefi_exit, and a byte of flags. What is missing or makes no sense is the default. */
#define POLICY_SHARED 1u
#define POLICY_VERBOSE 2u

static void read_policy(void)
{
	static const efi_char name[] = {'S', 'm', 'm', 'u', 'V', '3', 'P',
					'o', 'l', 'i', 'c', 'y', 0};
	static const struct efi_guid vendor = SMMU_UEFI_GUID_VENDOR;
	uint8_t value[2] = {SMMU_UEFI_EXIT, 0};
	uintptr_t size = sizeof(value);

	if (efi_failed(uefi_system->runtime->get_variable(name, &vendor, NULL, &size, value)))
		value[0] = SMMU_UEFI_EXIT;
	uefi.policy.exit = value[0] < UEFI_EXITS ? value[0] : SMMU_UEFI_EXIT;
	uefi.policy.shared = value[1] & POLICY_SHARED;
#ifdef SMMU_UEFI_SHARED
	uefi.policy.shared = true;
#endif
	if (value[1] & POLICY_VERBOSE)
		uefi_log_console = SMMU_LOG_INFO;
	uefi.limits.copy_max = COPY_MAX;
#ifdef SMMU_UEFI_FLUSH_ALL
	uefi.policy.flush_all = true;
	uefi.limits.copy_max = 0;
#endif
	uefi_info.exit = uefi.policy.exit;
	uefi_info.shared = uefi.policy.shared;
	uefi_info.flush_all = uefi.policy.flush_all;
}

static uintptr_t locate(const struct efi_guid *guid, efi_handle **handles)
{
	uintptr_t n = 0;

	*handles = NULL;
	if (efi_failed(uefi_system->boot->locate_handle_buffer(SMMU_EFI_LOCATE_PROTOCOL, guid, NULL,
							       &n, handles)))
		return 0;
	return n;
}

/* Whether somebody has started the PCI buses; if so they are stopped. */
static bool disconnect(const efi_handle *bridges, uintptr_t n)
{
	efi_handle *functions;
	bool were = locate(&function_guid, &functions) != 0;

	if (functions)
		uefi_system->boot->free_pool(functions);
	for (uintptr_t i = 0; were && i < n; i++)
		uefi_system->boot->disconnect_controller(bridges[i], NULL, NULL);
	if (were && locate(&function_guid, &functions)) {
		uefi_say(SMMU_LOG_WARN, "not all PCI devices could be disconnected: what those "
					"mapped before is blocked");
		uefi_system->boot->free_pool(functions);
	}
	return were;
}

static void connect(const efi_handle *bridges, uintptr_t n)
{
	for (uintptr_t i = 0; i < n; i++)
		uefi_system->boot->connect_controller(bridges[i], NULL, NULL, true);
}

static efi_status bring_up(void)
{
	efi_status status = uefi_machine_enable();

	if (efi_failed(status))
		return status;
	uefi_devices_reserve();
	uefi_machine_let_go();
	uefi_iommu_start();
	status = uefi_handover_prepare();
	return efi_failed(status) ? status : uefi_events_start();
}

static efi_status publish(void)
{
	efi_handle handle = NULL;
	efi_status status = uefi_system->boot->install_protocol(&handle, &info_guid, 0, &uefi_info);

	if (!efi_failed(status))
		status = uefi_system->boot->install_protocol(&handle, &iommu_guid, 0, &uefi_iommu);
	if (efi_failed(status))
		uefi_system->boot->uninstall_protocol(handle, &info_guid, &uefi_info);
	return status;
}

static efi_status start(void)
{
	efi_handle *bridges;
	uintptr_t n = locate(&bridge_guid, &bridges), tpl;
	bool were = disconnect(bridges, n);
	efi_status status;

	tpl = uefi_enter();
	status = bring_up();
	uefi_leave(tpl);
	if (!efi_failed(status)) {
		status = publish();
		if (efi_failed(status))
			uefi_events_stop();
	}
	if (efi_failed(status)) {
		uefi_say_value(SMMU_LOG_ERROR, "not started", "status", status);
		uefi_handover_cancel();
		uefi_machine_stop();
	}
	if (were)
		connect(bridges, n);
	if (bridges)
		uefi_system->boot->free_pool(bridges);
	return status;
}

efi_status smmu_uefi_main(efi_handle image, struct efi_system_table *system)
{
	efi_status status;
	void *other;

	(void)image;
	uefi_system_start(system);
	if (!efi_failed(system->boot->locate_protocol(&iommu_guid, NULL, &other)))
		return SMMU_EFI_ALREADY_STARTED;
	read_policy();
	status = uefi_machine_read();
	if (!efi_failed(status))
		status = uefi_machine_probe();
	if (efi_failed(status)) {
		uefi_machine_stop();
		return status;
	}
	status = start();
	if (!efi_failed(status))
		uefi_say(SMMU_LOG_INFO, "started");
	return status;
}
