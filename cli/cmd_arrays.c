/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 arrays`: attach as a run does, and show what a sweep would follow. */
#include "commands.h"

#include <json-c/json.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrays_draw.h"
#include "load_topology.h"
#include "options.h"
#include "report_print.h"

static void print_domain(const struct machine_domain *d)
{
	const struct smmu_inv_array *a = d->d.inv;
	uint32_t i;

	printf("domain %u, stage %s, %u operation%s\n", d->index, machine_stage(d),
	       a ? a->count : 0, a && a->count == 1 ? "" : "s");
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
			snprintf(ssid, sizeof(ssid), "0x%x", e->substream - 1);
		printf("  %4u  %-8s  %-10s  %9s  %5u\n", e->index, arrays_kind_name(e->kind), id,
		       ssid, e->users);
	}
}

static struct json_object *domain_json(const struct machine_domain *d)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct smmu_inv_array *a = d->d.inv;
	uint32_t i;

	json_object_object_add(o, "domain", json_object_new_int((int)d->index));
	json_object_object_add(o, "stage",
			       d->guest || d->owner ? json_object_new_string(machine_stage(d))
						    : json_object_new_int(d->stage));
	for (i = 0; a && i < a->count; i++) {
		const struct smmu_inv *e = &a->entry[i];
		struct json_object *entry = json_object_new_object();

		json_object_object_add(entry, "smmu", json_object_new_int64(e->index));
		json_object_object_add(entry, "kind",
				       json_object_new_string(arrays_kind_name(e->kind)));
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

static struct json_object *arrays_json(const struct machine *m, const struct smmu_topology *t)
{
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	unsigned i;

	for (i = 0; i < m->domains; i++)
		json_object_array_add(list, domain_json(&m->domain[i]));
	json_object_object_add(top, "domains", list);
	topology_warnings_json(top, t);
	return top;
}

static int show(struct machine *m, const struct options *o, const struct smmu_topology *t)
{
	unsigned i;

	if ((!o->json || strcmp(o->json, "-")) && (!o->svg || strcmp(o->svg, "-"))) {
		for (i = 0; i < m->domains; i++) {
			if (i)
				putchar('\n');
			print_domain(&m->domain[i]);
		}
	}
	if (o->svg && arrays_svg(o->svg, m)) {
		fprintf(stderr, "smmuv3 arrays: --svg %s: %s; expected a place to write to\n",
			o->svg, strerror(errno ? errno : EIO));
		return 2;
	}
	return o->json ? report_write_json(o->json, "arrays", arrays_json(m, t)) : 0;
}

static int arrays(const struct options *o, const struct smmu_topology *t)
{
	struct machine_config cfg = {.data_bytes = 2u << 20, .domains = o->lab.domains};
	struct machine *m = malloc(sizeof(*m));
	struct report r = {0};
	int rc;

	if (!m)
		return 2;
	rc = machine_open(m, &o->lab, &cfg);
	if (!rc) {
		rc = machine_attach_all(m) ? 2 : show(m, o, t);
		machine_close(m, &r);
	}
	free(m);
	return rc;
}

int cmd_arrays(int argc, char **argv)
{
	struct smmu_topology t;
	struct options o;
	int rc = options_parse(&o, CMD_ARRAYS, argc, argv, 0);

	if (rc)
		return rc;
	if (o.help) {
		help_print(stdout, "arrays");
		return 0;
	}
	rc = load_topology(&o, &t);
	if (!rc)
		rc = arrays(&o, &t);
	smmu_topology_free(&t);
	return rc;
}
