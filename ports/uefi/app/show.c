/* SPDX-License-Identifier: BSD-2-Clause */
/* What the table and the driver say, as lines. */
#include "app.h"

#include "acpi.h"

#define IORT_MOST 0x100000u

struct smmu_text *app_begin(struct app_line *l)
{
	smmu_text_init(&l->text, l->buf, sizeof(l->buf));
	return &l->text;
}

void app_end(struct app_line *l)
{
	app_say(l->buf);
}

void app_say(const char *text)
{
	efi_char wide[64];
	size_t n = 0;

	for (; *text; text++) {
		wide[n++] = (uint8_t)*text;
		if (n < SMMU_ARRAY_SIZE(wide) - 3)
			continue;
		wide[n] = 0;
		uefi_system->out->output(uefi_system->out, wide);
		n = 0;
	}
	wide[n++] = '\r';
	wide[n++] = '\n';
	wide[n] = 0;
	uefi_system->out->output(uefi_system->out, wide);
}

struct smmu_uefi_info *app_info(void)
{
	static const struct efi_guid guid = SMMU_UEFI_GUID_INFO;
	struct smmu_uefi_info *info;
	void *found;

	if (efi_failed(uefi_system->boot->locate_protocol(&guid, NULL, &found)))
		return NULL;
	info = found;
	return info->revision >= SMMU_UEFI_INFO_REVISION ? info : NULL;
}

static struct smmu_uefi_info *need_info(void)
{
	struct smmu_uefi_info *info = app_info();

	if (!info)
		app_say("SmmuV3Dxe.efi is not started");
	return info;
}

int app_topology(struct smmu_topology *t)
{
	static const struct efi_guid acpi = SMMU_EFI_GUID_ACPI20;
	char err[256] = "out of memory";
	uint32_t length;
	const void *iort = uefi_acpi_find(uefi_configuration_table(&acpi), "IORT", &length);

	if (!iort) {
		app_say("no IORT among the ACPI tables");
		return -SMMU_ENOENT;
	}
	if (!smmu_topology_from_iort(iort, length < IORT_MOST ? length : IORT_MOST, 0, t, err,
				     sizeof(err)))
		return 0;
	app_say(err);
	return -SMMU_EINVAL;
}

static void say_root(const struct smmu_topology_root *r)
{
	struct app_line l;

	smmu_text_str(app_begin(&l), r->name);
	if (r->has_segment) {
		smmu_text_str(&l.text, " segment ");
		smmu_text_dec(&l.text, r->segment);
	}
	smmu_text_str(&l.text, r->ats ? " ATS" : "");
	smmu_text_str(&l.text, r->coherent ? " coherent" : "");
	if (!r->n_streams)
		smmu_text_str(&l.text, ": reaches no SMMUv3");
	app_end(&l);
	for (size_t i = 0; i < r->n_streams; i++) {
		const struct smmu_topology_streams *s = &r->streams[i];

		smmu_text_str(app_begin(&l), "  ids ");
		smmu_text_hex(&l.text, s->first, 1);
		smmu_text_str(&l.text, " to ");
		smmu_text_hex(&l.text, s->first + s->count - 1, 1);
		smmu_text_str(&l.text, " are streams from ");
		smmu_text_hex(&l.text, s->stream, 1);
		smmu_text_str(&l.text, " of smmu");
		smmu_text_dec(&l.text, s->smmu);
		app_end(&l);
	}
}

static void say_table(const struct smmu_topology *t)
{
	struct app_line l;

	for (size_t i = 0; i < t->n_smmus; i++) {
		smmu_text_str(app_begin(&l), "smmu");
		smmu_text_dec(&l.text, i);
		smmu_text_str(&l.text, " at ");
		smmu_text_hex(&l.text, t->smmus[i].base, 1);
		smmu_text_str(&l.text, t->smmus[i].coherent ? " coherent" : "");
		smmu_text_str(&l.text, ", streams: ");
		smmu_text_dec(&l.text, t->smmus[i].n_streams);
		app_end(&l);
	}
	for (size_t i = 0; i < t->n_others; i++) {
		smmu_text_str(app_begin(&l), t->others[i].kind);
		smmu_text_str(&l.text, " at ");
		smmu_text_hex(&l.text, t->others[i].base, 1);
		app_end(&l);
	}
	for (size_t i = 0; i < t->n_roots; i++)
		say_root(&t->roots[i]);
	for (size_t i = 0; i < t->n_reserved; i++) {
		const struct smmu_topology_reserved *r = &t->reserved[i];

		smmu_text_str(app_begin(&l), "reserved memory ");
		smmu_text_hex(&l.text, r->base, 1);
		smmu_text_str(&l.text, " size ");
		smmu_text_hex(&l.text, r->size, 1);
		smmu_text_str(&l.text, " for stream ");
		smmu_text_hex(&l.text, r->stream, 1);
		smmu_text_str(&l.text, " of smmu");
		smmu_text_dec(&l.text, r->smmu);
		app_end(&l);
	}
	for (size_t i = 0; i < t->n_warnings; i++)
		app_say(t->warnings[i]);
}

/* As PCI locations are written: digits alone. */
static void put_digits(struct smmu_text *t, uint32_t value, unsigned n)
{
	while (n--)
		smmu_text_char(t, "0123456789abcdef"[value >> 4 * n & 0xf]);
}

static void say_function(const struct uefi_function_info *f)
{
	struct app_line l;

	put_digits(app_begin(&l), f->segment, 4);
	smmu_text_char(&l.text, ':');
	put_digits(&l.text, f->requester >> 8, 2);
	smmu_text_char(&l.text, ':');
	put_digits(&l.text, f->requester >> 3 & 0x1f, 2);
	smmu_text_char(&l.text, '.');
	smmu_text_dec(&l.text, f->requester & 7);
	if (f->dead)
		smmu_text_str(&l.text, " blocked: its SMMU did not come up");
	else if (f->space == ~0u)
		smmu_text_str(&l.text, " behind no SMMUv3");
	else {
		smmu_text_str(&l.text, " space ");
		smmu_text_dec(&l.text, f->space);
		smmu_text_str(&l.text, ", maps ");
		smmu_text_dec(&l.text, f->maps);
	}
	app_end(&l);
}

static void say_stream(const struct uefi_stream_info *s)
{
	struct app_line l;

	smmu_text_str(app_begin(&l), "smmu");
	smmu_text_dec(&l.text, s->smmu);
	smmu_text_str(&l.text, " stream ");
	smmu_text_hex(&l.text, s->sid, 1);
	if (s->space == ~0u) {
		smmu_text_str(&l.text, " untranslated");
	} else {
		smmu_text_str(&l.text, " space ");
		smmu_text_dec(&l.text, s->space);
	}
	app_end(&l);
}

int app_show_topology(void)
{
	struct smmu_uefi_info *info = app_info();
	struct uefi_function_info f;
	struct uefi_stream_info s;
	struct smmu_topology t;
	int error = app_topology(&t);

	if (!error) {
		say_table(&t);
		smmu_topology_free(&t);
	}
	for (uint32_t i = 0; info && info->function(i, &f); i++)
		say_function(&f);
	for (uint32_t i = 0; info && info->stream(i, &s); i++)
		say_stream(&s);
	return error != 0;
}

int app_show_arrays(void)
{
	static const char *const kinds[] = {"S1_ASID", "S2_VMID", "S2_VMID_S1_CLEAR", "ATS",
					    "ATS_FULL"};
	struct smmu_uefi_info *info = need_info();
	struct uefi_operation_info o;
	struct uefi_space_info s;
	struct app_line l;

	for (uint32_t i = 0; info && info->space(i, &s); i++) {
		smmu_text_str(app_begin(&l), "space ");
		smmu_text_dec(&l.text, s.id);
		smmu_text_str(&l.text, ": ranges ");
		smmu_text_dec(&l.text, s.grants);
		smmu_text_str(&l.text, ", bytes ");
		smmu_text_dec(&l.text, s.bytes);
		app_end(&l);
		for (uint32_t k = 0; info->operation(s.id, k, &o); k++) {
			smmu_text_str(app_begin(&l), "  smmu");
			smmu_text_dec(&l.text, o.smmu);
			smmu_text_char(&l.text, ' ');
			smmu_text_str(&l.text,
				      o.kind < SMMU_ARRAY_SIZE(kinds) ? kinds[o.kind] : "?");
			smmu_text_str(&l.text, " id ");
			smmu_text_dec(&l.text, o.id);
			smmu_text_str(&l.text, " users ");
			smmu_text_dec(&l.text, o.users);
			app_end(&l);
		}
	}
	return !info;
}

int app_show_statistics(void)
{
	struct smmu_uefi_info *info = need_info();
	struct uefi_smmu_info s;
	struct uefi_stats t;
	struct app_line l;

	if (!info)
		return 1;
	info->stats(&t);
	const struct {
		const char *name;
		uint64_t value;
	} row[] = {
		{"maps", t.maps},
		{"unmaps", t.unmaps},
		{"maps of the buffer itself", t.direct},
		{"maps of a copy", t.copies},
		{"  that was mapped already", t.kept},
		{"  that another device had", t.moved},
		{"bytes copied", t.copied},
		{"changes that let in", t.grants},
		{"changes that shut out", t.withdrawals},
		{"calls refused", t.refused},
		{"devices behind no SMMUv3, calls", t.unknown},
		{"bytes of tables and queues", t.memory},
		{"  in use", t.memory_used},
		{"bytes of copies kept", t.shadow_bytes},
		{"  lost", t.shadow_lost},
	};
	for (size_t i = 0; i < SMMU_ARRAY_SIZE(row); i++) {
		smmu_text_str(app_begin(&l), row[i].name);
		smmu_text_str(&l.text, ": ");
		smmu_text_dec(&l.text, row[i].value);
		app_end(&l);
	}
	for (uint32_t i = 0; info->smmu(i, &s); i++) {
		smmu_text_str(app_begin(&l), s.name);
		smmu_text_str(&l.text, s.up ? ": commands " : ": down, commands ");
		smmu_text_dec(&l.text, s.commands);
		smmu_text_str(&l.text, ", doorbells ");
		smmu_text_dec(&l.text, s.batches);
		smmu_text_str(&l.text, ", events ");
		smmu_text_dec(&l.text, s.events);
		smmu_text_str(&l.text, ", overflows ");
		smmu_text_dec(&l.text, s.events_lost);
		app_end(&l);
	}
	return 0;
}

int app_show_log(void)
{
	struct smmu_uefi_info *info = need_info();
	char text[UEFI_LOG_BYTES];
	int got;

	for (uint64_t n = 0; info && (got = info->log(n, text, sizeof(text))) != 0; n++)
		if (got > 0)
			app_say(text);
	return !info;
}
