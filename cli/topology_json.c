/* SPDX-License-Identifier: BSD-2-Clause */
/* A topology as JSON. */
#include "cmd_topology.h"

#include <json-c/json.h>

#include "load_topology.h"
#include "machine_table.h"

static void put(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void put_bool(struct json_object *o, const char *name, bool value)
{
	json_object_object_add(o, name, json_object_new_boolean(value));
}

static void put_text(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

/* What is not known is null. */
static void put_maybe(struct json_object *o, const char *name, bool known, uint64_t value)
{
	json_object_object_add(o, name, known ? json_object_new_uint64(value) : NULL);
}

static struct json_object *streams_json(const struct smmu_topology_root *root)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; list && i < root->n_streams; i++) {
		const struct smmu_topology_streams *range = &root->streams[i];
		struct json_object *o = json_object_new_object();

		put(o, "first", range->first);
		put(o, "count", range->count);
		put(o, "smmu", range->smmu);
		put(o, "stream", range->stream);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *quirks_json(const struct smmu_topology_smmu *smmu)
{
	struct json_object *list = json_object_new_array();
	uint32_t quirks = machine_table_quirks(smmu);
	unsigned bit;

	for (bit = 0; bit < 32; bit++)
		if (quirks >> bit & 1)
			json_object_array_add(list,
					      json_object_new_string(topology_quirk_name(bit)));
	return list;
}

static struct json_object *smmu_json(const struct smmu_topology_smmu *smmu)
{
	struct json_object *o = json_object_new_object(), *gsivs;
	const char *model = smmu->has_model ? smmu_topology_model_name(smmu->model) : NULL;

	put(o, "index", smmu->index);
	put(o, "base", smmu->base);
	put_bool(o, "coherent", smmu->coherent);
	put_maybe(o, "node", smmu->has_numa, smmu->numa);
	put_text(o, "name", smmu->name);
	put(o, "size", smmu->size);
	put(o, "streams", smmu->n_streams);
	put_maybe(o, "model", smmu->has_model, smmu->model);
	put_text(o, "model_name", model);
	put_text(o, "compatible", smmu->compatible);
	put_bool(o, "page0_only", smmu->page0_only);
	put_bool(o, "disabled", smmu->disabled);
	json_object_object_add(o, "quirks", quirks_json(smmu));
	if (smmu->has_gsivs) {
		gsivs = json_object_new_object();
		put(gsivs, "event", smmu->event_gsiv);
		put(gsivs, "pri", smmu->pri_gsiv);
		put(gsivs, "gerror", smmu->gerror_gsiv);
		put(gsivs, "sync", smmu->sync_gsiv);
		put_bool(gsivs, "combined", smmu->combined);
		json_object_object_add(o, "gsivs", gsivs);
	}
	return o;
}

static struct json_object *root_json(const struct smmu_topology_root *root)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "kind", smmu_topology_kind_name(root->kind));
	put_text(o, "name", root->name);
	put_maybe(o, "segment", root->has_segment, root->segment);
	put_bool(o, "ats", root->ats);
	put_bool(o, "pri", root->pri);
	put_bool(o, "stall", root->stall);
	put_maybe(o, "pasid_bits", root->has_pasid, root->pasid_bits);
	put_bool(o, "coherent", root->coherent);
	json_object_object_add(o, "streams", streams_json(root));
	return o;
}

static struct json_object *reserved_json(const struct smmu_topology_reserved *r)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "name", r->name);
	put(o, "base", r->base);
	put(o, "size", r->size);
	put(o, "smmu", r->smmu);
	put(o, "stream", r->stream);
	put(o, "count", r->count);
	put_bool(o, "remap", r->remap);
	put_bool(o, "privileged", r->privileged);
	return o;
}

static struct json_object *other_json(const struct smmu_topology_other *other)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "kind", other->kind);
	put_text(o, "name", other->name);
	put_maybe(o, "base", other->has_base, other->base);
	return o;
}

struct json_object *smmu_topology_json(const struct smmu_topology *t)
{
	struct json_object *top = json_object_new_object(), *list;
	size_t i;

	if (!top)
		return NULL;
	json_object_object_add(top, "smmus", list = json_object_new_array());
	for (i = 0; i < t->n_smmus; i++)
		json_object_array_add(list, smmu_json(&t->smmus[i]));
	json_object_object_add(top, "roots", list = json_object_new_array());
	for (i = 0; i < t->n_roots; i++)
		json_object_array_add(list, root_json(&t->roots[i]));
	json_object_object_add(top, "reserved", list = json_object_new_array());
	for (i = 0; i < t->n_reserved; i++)
		json_object_array_add(list, reserved_json(&t->reserved[i]));
	json_object_object_add(top, "others", list = json_object_new_array());
	for (i = 0; i < t->n_others; i++)
		json_object_array_add(list, other_json(&t->others[i]));
	topology_warnings_json(top, t);
	return top;
}
