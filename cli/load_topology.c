/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware table that a command line names. */
#include "load_topology.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

void say_warning(const struct options *o, const char *file, const char *warning)
{
	fprintf(stderr, "smmuv3 %s: %s: warning: %s\n", o->command_name,
		strcmp(file, "-") ? file : "standard input", warning);
}

int load_topology(struct options *o, struct smmu_topology *t)
{
	const char *file = o->iort ? o->iort : o->dtb;
	char err[4096 + SMMU_TOPOLOGY_ERR];
	/* Some of the devices of a machine have two streams. */
	unsigned devices = (o->command == CMD_TOPOLOGY ? 1 : 2) * o->lab.devices;
	size_t i;
	int rc;

	*t = (struct smmu_topology){0};
	if (!file)
		return 0;
	rc = smmu_topology_from_file(file, o->iort ? SMMU_TOPOLOGY_IORT : SMMU_TOPOLOGY_DTB,
				     (o->strict ? SMMU_TOPOLOGY_STRICT : 0) |
					     (o->all ? SMMU_TOPOLOGY_ALL : 0),
				     t, err, sizeof(err));
	if (rc) {
		fprintf(stderr, "smmuv3 %s: %s\n", o->command_name, err);
		return 2;
	}
	for (i = 0; i < t->n_warnings; i++)
		say_warning(o, file, t->warnings[i]);
	if (t->more_warnings)
		fprintf(stderr, "smmuv3 %s: %s: and %zu warnings more\n", o->command_name, file,
			t->more_warnings);
	/* Where the table has no device for an SMMU and some were asked for. */
	if (o->devices_given && smmu_topology_make_up_devices(t, devices) < 0) {
		fprintf(stderr, "smmuv3 %s: out of memory\n", o->command_name);
		smmu_topology_free(t);
		return 2;
	}
	o->lab.topology = t;
	return 0;
}

void topology_warnings_json(struct json_object *top, const struct smmu_topology *t)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < t->n_warnings; i++)
		json_object_array_add(list, json_object_new_string(t->warnings[i]));
	json_object_object_add(top, "warnings", list);
	json_object_object_add(top, "left_out", json_object_new_uint64(t->left_out));
}
