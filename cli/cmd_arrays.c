/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 arrays`: attach as a run does, and show what a sweep would follow. */
#include "commands.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "options.h"
#include "report_print.h"

static const char *kind_name(uint32_t kind)
{
	switch (kind) {
	case SMMU_INV_S1_ASID:
		return "s1-asid";
	case SMMU_INV_S2_VMID:
		return "s2-vmid";
	case SMMU_INV_S2_VMID_S1_CLEAR:
		return "s1-clear";
	case SMMU_INV_ATS:
		return "ats";
	default:
		return "ats-full";
	}
}

static void print_domain(const struct machine_domain *d)
{
	const struct smmu_inv_array *a = d->d.inv;
	uint32_t i;

	printf("domain %u, stage %u, %u operation%s\n", d->index, d->stage, a ? a->count : 0,
	       a && a->count == 1 ? "" : "s");
	if (!a || !a->count)
		return;
	printf("  smmu  kind      id          substream  users\n");
	for (i = 0; i < a->count; i++) {
		const struct smmu_inv *e = &a->entry[i];
		char id[16], ssid[16] = "";

		if (e->kind >= SMMU_INV_ATS)
			snprintf(id, sizeof(id), "0x%x", e->id);
		else
			snprintf(id, sizeof(id), "%u", e->id);
		if (e->substream)
			snprintf(ssid, sizeof(ssid), "%u", e->substream - 1);
		printf("  %4u  %-8s  %-10s  %9s  %5u\n", e->index, kind_name(e->kind), id, ssid,
		       e->users);
	}
}

static struct json_object *domain_json(const struct machine_domain *d)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct smmu_inv_array *a = d->d.inv;
	uint32_t i;

	json_object_object_add(o, "domain", json_object_new_int((int)d->index));
	json_object_object_add(o, "stage", json_object_new_int(d->stage));
	for (i = 0; a && i < a->count; i++) {
		const struct smmu_inv *e = &a->entry[i];
		struct json_object *entry = json_object_new_object();

		json_object_object_add(entry, "smmu", json_object_new_int64(e->index));
		json_object_object_add(entry, "kind", json_object_new_string(kind_name(e->kind)));
		json_object_object_add(entry, "id", json_object_new_int64(e->id));
		json_object_object_add(entry, "substream",
				       e->substream ? json_object_new_int64(e->substream - 1)
						    : NULL);
		json_object_object_add(entry, "users", json_object_new_int64(e->users));
		json_object_array_add(list, entry);
	}
	json_object_object_add(o, "operations", list);
	return o;
}

static struct json_object *arrays_json(const struct machine *m)
{
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	unsigned i;

	for (i = 0; i < m->domains; i++)
		json_object_array_add(list, domain_json(&m->domain[i]));
	json_object_object_add(top, "domains", list);
	return top;
}

static int show(struct machine *m, const struct options *o)
{
	unsigned i;

	if (!o->json || strcmp(o->json, "-")) {
		for (i = 0; i < m->domains; i++) {
			if (i)
				putchar('\n');
			print_domain(&m->domain[i]);
		}
	}
	return o->json ? report_write_json(o->json, "arrays", arrays_json(m)) : 0;
}

int cmd_arrays(int argc, char **argv)
{
	struct machine_config cfg = {.data_bytes = 2u << 20};
	struct report r = {0};
	struct options o;
	struct machine *m;
	int rc = options_parse(&o, CMD_ARRAYS, argc, argv, 0);

	if (rc)
		return rc;
	if (o.help) {
		help_print(stdout, "arrays");
		return 0;
	}
	m = malloc(sizeof(*m));
	if (!m)
		return 2;
	cfg.domains = o.lab.domains;
	rc = machine_open(m, &o.lab, &cfg);
	if (!rc) {
		rc = machine_attach_all(m) ? 2 : show(m, &o);
		machine_close(m, &r);
	}
	free(m);
	return rc;
}
