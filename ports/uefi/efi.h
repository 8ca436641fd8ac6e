/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file efi.h
 * What this port uses of the UEFI specification 2.10 and of the PI specification 1.8: types, tables, protocols. Names are
 * in the project's style, so that the sources also compile inside EDK2, whose names are in capitals. A table's entries that
 * nobody here calls are `void *`.
 */
#ifndef SMMU_UEFI_EFI_H
#define SMMU_UEFI_EFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t efi_status;
typedef void *efi_handle;
typedef void *efi_event;
typedef uint16_t efi_char;

#define SMMU_EFI_ERROR_BIT 0x8000000000000000ull
#define SMMU_EFI_SUCCESS 0ull
#define SMMU_EFI_LOAD_ERROR (SMMU_EFI_ERROR_BIT | 1)
#define SMMU_EFI_INVALID_PARAMETER (SMMU_EFI_ERROR_BIT | 2)
#define SMMU_EFI_UNSUPPORTED (SMMU_EFI_ERROR_BIT | 3)
#define SMMU_EFI_BUFFER_TOO_SMALL (SMMU_EFI_ERROR_BIT | 5)
#define SMMU_EFI_DEVICE_ERROR (SMMU_EFI_ERROR_BIT | 7)
#define SMMU_EFI_OUT_OF_RESOURCES (SMMU_EFI_ERROR_BIT | 9)
#define SMMU_EFI_NOT_FOUND (SMMU_EFI_ERROR_BIT | 14)
#define SMMU_EFI_ALREADY_STARTED (SMMU_EFI_ERROR_BIT | 20)

static inline bool efi_failed(efi_status s)
{
	return s & SMMU_EFI_ERROR_BIT;
}

struct efi_guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

struct efi_table_header {
	uint64_t signature;
	uint32_t revision, header_size, crc32, reserved;
};

/* ---- Memory ---- */

enum efi_allocate_type {
	SMMU_EFI_ALLOCATE_ANY,
	SMMU_EFI_ALLOCATE_BELOW, /**< the address says: no byte above it */
	SMMU_EFI_ALLOCATE_AT,
};

enum efi_memory_type {
	SMMU_EFI_RESERVED = 0,
	SMMU_EFI_BOOT_DATA = 4,
	SMMU_EFI_RUNTIME_DATA = 6,
};

#define SMMU_EFI_PAGE 4096u

/* ---- Events ---- */

#define SMMU_EFI_TPL_APPLICATION 4u
#define SMMU_EFI_TPL_CALLBACK 8u
#define SMMU_EFI_TPL_NOTIFY 16u

#define SMMU_EFI_EVENT_TIMER 0x80000000u
#define SMMU_EFI_EVENT_SIGNAL 0x00000200u
#define SMMU_EFI_EVENT_EXIT_BOOT 0x00000201u

enum efi_timer_delay { SMMU_EFI_TIMER_CANCEL, SMMU_EFI_TIMER_PERIODIC, SMMU_EFI_TIMER_RELATIVE };

typedef void efi_notify(efi_event event, void *ctx);

enum efi_locate { SMMU_EFI_LOCATE_ALL, SMMU_EFI_LOCATE_NOTIFY, SMMU_EFI_LOCATE_PROTOCOL };

/* ---- Tables ---- */

struct efi_device_path {
	uint8_t type, sub_type;
	uint8_t length[2];
};

struct efi_boot_services {
	struct efi_table_header header;
	uintptr_t (*raise_tpl)(uintptr_t tpl);
	void (*restore_tpl)(uintptr_t tpl);
	efi_status (*allocate_pages)(uint32_t how, uint32_t type, uintptr_t pages, uint64_t *at);
	efi_status (*free_pages)(uint64_t at, uintptr_t pages);
	efi_status (*get_memory_map)(uintptr_t *size, void *map, uintptr_t *key, uintptr_t *each,
				     uint32_t *version);
	efi_status (*allocate_pool)(uint32_t type, uintptr_t size, void **p);
	efi_status (*free_pool)(void *p);
	efi_status (*create_event)(uint32_t type, uintptr_t tpl, efi_notify *notify, void *ctx,
				   efi_event *event);
	efi_status (*set_timer)(efi_event event, uint32_t how, uint64_t hundred_ns);
	void *wait_for_event, *signal_event;
	efi_status (*close_event)(efi_event event);
	void *check_event;
	efi_status (*install_protocol)(efi_handle *handle, const struct efi_guid *guid,
				       uint32_t type, void *interface);
	void *reinstall_protocol;
	efi_status (*uninstall_protocol)(efi_handle handle, const struct efi_guid *guid,
					 void *interface);
	efi_status (*handle_protocol)(efi_handle handle, const struct efi_guid *guid,
				      void **interface);
	void *reserved;
	efi_status (*register_protocol_notify)(const struct efi_guid *guid, efi_event event,
					       void **registration);
	void *locate_handle, *locate_device_path;
	efi_status (*install_configuration_table)(const struct efi_guid *guid, void *table);
	efi_status (*load_image)(uint8_t policy, efi_handle parent, struct efi_device_path *path,
				 void *source, uintptr_t size, efi_handle *image);
	efi_status (*start_image)(efi_handle image, uintptr_t *exit_size, efi_char **exit_data);
	efi_status (*exit)(efi_handle image, efi_status status, uintptr_t size, efi_char *data);
	efi_status (*unload_image)(efi_handle image);
	efi_status (*exit_boot_services)(efi_handle image, uintptr_t key);
	void *get_next_count;
	efi_status (*stall)(uintptr_t microseconds);
	efi_status (*set_watchdog)(uintptr_t seconds, uint64_t code, uintptr_t size,
				   efi_char *data);
	efi_status (*connect_controller)(efi_handle controller, efi_handle *drivers,
					 struct efi_device_path *rest, uint8_t recursive);
	efi_status (*disconnect_controller)(efi_handle controller, efi_handle driver,
					    efi_handle child);
	void *open_protocol, *close_protocol, *open_protocol_information, *protocols_per_handle;
	efi_status (*locate_handle_buffer)(uint32_t how, const struct efi_guid *guid, void *key,
					   uintptr_t *n, efi_handle **handles);
	efi_status (*locate_protocol)(const struct efi_guid *guid, void *registration,
				      void **interface);
};

struct efi_runtime_services {
	struct efi_table_header header;
	void *time[4];
	void *virtual_address[2];
	efi_status (*get_variable)(const efi_char *name, const struct efi_guid *vendor,
				   uint32_t *attributes, uintptr_t *size, void *data);
	void *next_variable;
	efi_status (*set_variable)(const efi_char *name, const struct efi_guid *vendor,
				   uint32_t attributes, uintptr_t size, const void *data);
	void *next_count;
	void (*reset)(uint32_t how, efi_status status, uintptr_t size, const void *data);
};

struct efi_text_output {
	void *reset;
	efi_status (*output)(struct efi_text_output *self, const efi_char *text);
};

struct efi_configuration_entry {
	struct efi_guid guid;
	void *table;
};

struct efi_system_table {
	struct efi_table_header header;
	efi_char *vendor;
	uint32_t vendor_revision;
	efi_handle in_handle;
	void *in;
	efi_handle out_handle;
	struct efi_text_output *out;
	efi_handle error_handle;
	struct efi_text_output *error;
	struct efi_runtime_services *runtime;
	struct efi_boot_services *boot;
	uintptr_t n_entries;
	struct efi_configuration_entry *entries;
};

/* ---- PI: what is in the physical address space ---- */

enum efi_space_type {
	SMMU_EFI_SPACE_NONE,
	SMMU_EFI_SPACE_RESERVED,
	SMMU_EFI_SPACE_MEMORY,
	SMMU_EFI_SPACE_MMIO,
};

#define SMMU_EFI_SPACE_UC 1ull

struct efi_space_descriptor {
	uint64_t base, length, capabilities, attributes;
	uint32_t type;
	efi_handle image, device;
};

struct efi_dxe_services {
	struct efi_table_header header;
	efi_status (*add_memory_space)(uint32_t type, uint64_t base, uint64_t length,
				       uint64_t capabilities);
	void *allocate_memory_space, *free_memory_space, *remove_memory_space;
	efi_status (*get_memory_space_descriptor)(uint64_t at, struct efi_space_descriptor *d);
	efi_status (*set_memory_space_attributes)(uint64_t base, uint64_t length,
						  uint64_t attributes);
};

/* ---- Protocols ---- */

struct efi_loaded_image {
	uint32_t revision;
	efi_handle parent;
	struct efi_system_table *system;
	efi_handle device;
	struct efi_device_path *path;
	void *reserved;
	uint32_t options_size;
	void *options;
	void *base;
	uint64_t size;
	uint32_t code_type, data_type;
	efi_status (*unload)(efi_handle image);
};

enum efi_pci_width { SMMU_EFI_PCI_8, SMMU_EFI_PCI_16, SMMU_EFI_PCI_32, SMMU_EFI_PCI_64 };

struct efi_pci_io;
typedef efi_status efi_pci_config(struct efi_pci_io *self, uint32_t width, uint32_t offset,
				  uintptr_t count, void *buffer);
typedef efi_status efi_pci_mem(struct efi_pci_io *self, uint32_t width, uint8_t bar,
			       uint64_t offset, uintptr_t count, void *buffer);

struct efi_pci_io {
	void *poll_mem, *poll_io;
	efi_pci_mem *mem_read, *mem_write;
	void *io_read, *io_write;
	efi_pci_config *pci_read, *pci_write;
	void *copy_mem;
	efi_status (*map)(struct efi_pci_io *self, uint32_t operation, void *host, uintptr_t *bytes,
			  uint64_t *device, void **mapping);
	efi_status (*unmap)(struct efi_pci_io *self, void *mapping);
	efi_status (*allocate_buffer)(struct efi_pci_io *self, uint32_t type, uint32_t memory,
				      uintptr_t pages, void **host, uint64_t attributes);
	efi_status (*free_buffer)(struct efi_pci_io *self, uintptr_t pages, void *host);
	void *flush;
	efi_status (*get_location)(struct efi_pci_io *self, uintptr_t *segment, uintptr_t *bus,
				   uintptr_t *device, uintptr_t *function);
	efi_status (*attributes)(struct efi_pci_io *self, uint32_t operation, uint64_t attributes,
				 uint64_t *result);
};

#define SMMU_EFI_PCI_ATTRIBUTES_ENABLE 2u
#define SMMU_EFI_PCI_ATTRIBUTE_MEMORY 0x0200u
#define SMMU_EFI_PCI_ATTRIBUTE_MASTER 0x0400u

/* EDKII_IOMMU_PROTOCOL, revision 1.0. */
#define EDKII_IOMMU_REVISION 0x00010000u

enum edkii_iommu_access { EDKII_IOMMU_READ = 1, EDKII_IOMMU_WRITE = 2 };

enum edkii_iommu_operation {
	EDKII_IOMMU_MASTER_READ,
	EDKII_IOMMU_MASTER_WRITE,
	EDKII_IOMMU_COMMON_BUFFER,
	EDKII_IOMMU_MASTER_READ64,
	EDKII_IOMMU_MASTER_WRITE64,
	EDKII_IOMMU_COMMON_BUFFER64,
	EDKII_IOMMU_OPERATIONS,
};

/* Attributes of AllocateBuffer. */
#define EDKII_IOMMU_WRITE_COMBINE 0x0080u
#define EDKII_IOMMU_CACHED 0x0800u
#define EDKII_IOMMU_DUAL_ADDRESS 0x8000u

struct edkii_iommu {
	uint64_t revision;
	efi_status (*set_attribute)(struct edkii_iommu *self, efi_handle device, void *mapping,
				    uint64_t access);
	efi_status (*map)(struct edkii_iommu *self, uint32_t operation, void *host,
			  uintptr_t *bytes, uint64_t *device, void **mapping);
	efi_status (*unmap)(struct edkii_iommu *self, void *mapping);
	efi_status (*allocate_buffer)(struct edkii_iommu *self, uint32_t type, uint32_t memory,
				      uintptr_t pages, void **host, uint64_t attributes);
	efi_status (*free_buffer)(struct edkii_iommu *self, uintptr_t pages, void *host);
};

/* ---- GUIDs ---- */

#define SMMU_EFI_GUID_ACPI20                                           \
	{                                                              \
		0x8868e871, 0xe4f1, 0x11d3,                            \
		{                                                      \
			0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 \
		}                                                      \
	}
#define SMMU_EFI_GUID_DXE_SERVICES                                     \
	{                                                              \
		0x05ad34ba, 0x6f02, 0x4214,                            \
		{                                                      \
			0x95, 0x2e, 0x4d, 0xa0, 0x39, 0x8e, 0x2b, 0xb9 \
		}                                                      \
	}
#define SMMU_EFI_GUID_LOADED_IMAGE                                     \
	{                                                              \
		0x5b1b31a1, 0x9562, 0x11d2,                            \
		{                                                      \
			0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b \
		}                                                      \
	}
#define SMMU_EFI_GUID_PCI_IO                                           \
	{                                                              \
		0x4cf5b200, 0x68b8, 0x4ca5,                            \
		{                                                      \
			0x9e, 0xec, 0xb2, 0x3e, 0x3f, 0x50, 0x02, 0x9a \
		}                                                      \
	}
#define SMMU_EFI_GUID_PCI_ROOT_BRIDGE_IO                               \
	{                                                              \
		0x2f707ebb, 0x4a1a, 0x11d4,                            \
		{                                                      \
			0x9a, 0x38, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d \
		}                                                      \
	}
#define SMMU_EFI_GUID_EDKII_IOMMU                                      \
	{                                                              \
		0x4e939de9, 0xd948, 0x4b0f,                            \
		{                                                      \
			0x88, 0xed, 0xe6, 0xe1, 0xce, 0x51, 0x7c, 0x1e \
		}                                                      \
	}

#endif
