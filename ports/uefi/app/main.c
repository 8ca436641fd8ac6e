/* SPDX-License-Identifier: BSD-2-Clause */
/* smmuv3.efi: the command for the firmware's shell. */
#include "app.h"

efi_status smmu_uefi_app(efi_handle image, struct efi_system_table *system);

static int help(const char *rest)
{
	(void)rest;
	app_say("usage: smmuv3.efi VERB");
	app_say("  topology    SMMUs and what reaches them, from the IORT; and what the driver has "
		"found");
	app_say("  arrays      the invalidation array of each address space");
	app_say("  statistics  what the driver did since it was started");
	app_say("  dump        registers, and the stream table entry and context descriptor of "
		"each stream");
	app_say("  decode      the events that SMMUs recorded, in words; or: decode "
		"event|cmd|ste|cd W0 W1 …");
	app_say("  log         the driver's last lines");
	app_say("Without a verb: topology, arrays, statistics and decode.");
	return 0;
}

static int topology(const char *rest)
{
	(void)rest;
	return app_show_topology();
}

static int arrays(const char *rest)
{
	(void)rest;
	return app_show_arrays();
}

static int statistics(const char *rest)
{
	(void)rest;
	return app_show_statistics();
}

static int dump(const char *rest)
{
	(void)rest;
	return app_dump();
}

static int log_lines(const char *rest)
{
	(void)rest;
	return app_show_log();
}

static const struct {
	const char *name;
	int (*run)(const char *rest);
} verbs[] = {
	{"topology", topology}, {"arrays", arrays},     {"statistics", statistics},
	{"dump", dump},         {"decode", app_decode}, {"log", log_lines},
	{"help", help},
};

static bool begins(const char *text, const char *word, const char **rest)
{
	for (; *word; word++, text++)
		if (*text != *word)
			return false;
	*rest = text;
	return !*text || *text == ' ';
}

/* The options of a loaded image: UTF-16, with the program's name in front when a shell started it. */
static void arguments(efi_handle image, char *text, size_t size)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_LOADED_IMAGE;
	const struct efi_loaded_image *loaded;
	const efi_char *wide;
	size_t n = 0, from = 0;
	void *found;

	text[0] = 0;
	if (efi_failed(uefi_system->boot->handle_protocol(image, &guid, &found)))
		return;
	loaded = found;
	wide = loaded->options;
	while (wide && n + 1 < size && n < loaded->options_size / 2 && wide[n]) {
		text[n] = wide[n] < 0x80 ? (char)wide[n] : '?';
		n++;
	}
	text[n] = 0;
	/* Up to the first blank it is a name if it has a dot or a slash in it. */
	for (size_t i = 0; text[i] && text[i] != ' '; i++)
		if (text[i] == '.' || text[i] == '\\' || text[i] == '/')
			from = n;
	for (size_t i = 0; from && i < n; i++)
		if (text[i] == ' ') {
			from = i;
			break;
		}
	while (text[from] == ' ')
		from++;
	__builtin_memmove(text, text + from, n - from + 1);
}

efi_status smmu_uefi_app(efi_handle image, struct efi_system_table *system)
{
	static char text[512];
	const char *rest;

	uefi_system_start(system);
	arguments(image, text, sizeof(text));
	if (!text[0])
		return app_show_topology() | app_show_arrays() | app_show_statistics() |
				       app_decode("")
			       ? SMMU_EFI_NOT_FOUND
			       : SMMU_EFI_SUCCESS;
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(verbs); i++)
		if (begins(text, verbs[i].name, &rest))
			return verbs[i].run(rest) ? SMMU_EFI_NOT_FOUND : SMMU_EFI_SUCCESS;
	help("");
	return SMMU_EFI_INVALID_PARAMETER;
}
