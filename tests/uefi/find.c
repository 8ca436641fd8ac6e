/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles, files and images. */
#include "boot_test.h"

efi_handle nth(const struct efi_guid *guid, unsigned n, void **interface)
{
	efi_handle *handles, found = NULL;
	uintptr_t count;

	if (efi_failed(st->boot->locate_handle_buffer(SMMU_EFI_LOCATE_PROTOCOL, guid, NULL, &count,
						      &handles)))
		return NULL;
	if (n < count && !efi_failed(st->boot->handle_protocol(handles[n], guid, interface)))
		found = handles[n];
	st->boot->free_pool(handles);
	return found;
}

void *pages(uintptr_t n)
{
	uint64_t at = 0;

	if (efi_failed(st->boot->allocate_pages(SMMU_EFI_ALLOCATE_ANY, SMMU_EFI_BOOT_DATA, n, &at)))
		return NULL;
	return (void *)(uintptr_t)at;
}

static struct efi_file *open(const char *name, efi_handle *volume)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_FILE_SYSTEM;
	efi_char wide[64];
	void *interface;
	size_t i;

	for (i = 0; name[i] && i + 1 < SMMU_ARRAY_SIZE(wide); i++)
		wide[i] = (uint8_t)name[i];
	wide[i] = 0;
	for (unsigned n = 0; (*volume = nth(&guid, n, &interface)); n++) {
		struct efi_file_system *fs = interface;
		struct efi_file *root, *file;

		if (efi_failed(fs->open_volume(fs, &root)))
			continue;
		if (!efi_failed(root->open(root, &file, wide, 1, 0)))
			return file;
		root->close(root);
	}
	return NULL;
}

void *read_file(const char *name, uintptr_t *size, efi_handle *volume)
{
	efi_handle where;
	struct efi_file *file = open(name, volume ? volume : &where);
	uint64_t length = 0;
	void *data = NULL;

	if (!file)
		return NULL;
	if (!efi_failed(file->set_position(file, ~0ull)) &&
	    !efi_failed(file->get_position(file, &length)) &&
	    !efi_failed(file->set_position(file, 0)))
		data = pages(length / SMMU_EFI_PAGE + 1);
	*size = length;
	if (data && (efi_failed(file->read(file, size, data)) || *size != length))
		data = NULL;
	file->close(file);
	if (data)
		((uint8_t *)data)[length] = 0;
	return data;
}

efi_status start_file(const char *name, const char *options)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_LOADED_IMAGE;
	static efi_char wide[128];
	uintptr_t size, n = 0;
	void *data = read_file(name, &size, NULL), *found;
	struct efi_loaded_image *loaded;
	efi_handle image;
	efi_status status;

	if (!data)
		return SMMU_EFI_NOT_FOUND;
	status = st->boot->load_image(0, self, NULL, data, size, &image);
	st->boot->free_pages((uintptr_t)data, size / SMMU_EFI_PAGE + 1);
	if (efi_failed(status))
		return status;
	if (options && !efi_failed(st->boot->handle_protocol(image, &guid, &found))) {
		for (; options[n] && n + 1 < SMMU_ARRAY_SIZE(wide); n++)
			wide[n] = (uint8_t)options[n];
		wide[n] = 0;
		loaded = found;
		loaded->options = wide;
		loaded->options_size = (uint32_t)(2 * (n + 1));
	}
	return st->boot->start_image(image, NULL, NULL);
}

struct smmu_uefi_info *info(void)
{
	static const struct efi_guid guid = SMMU_UEFI_GUID_INFO;
	void *found;

	return efi_failed(st->boot->locate_protocol(&guid, NULL, &found)) ? NULL : found;
}

uint64_t commands(void)
{
	struct uefi_smmu_info s;
	uint64_t sum = 0;

	for (uint32_t i = 0; info() && info()->smmu(i, &s); i++)
		sum += s.commands;
	return sum;
}

uint64_t events(void)
{
	struct uefi_event event;
	uint64_t n = 0;

	while (info() && info()->event(n, &event))
		n++;
	return n;
}
