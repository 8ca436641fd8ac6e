/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever is pasted into `smmuv3 decode`: every structure comes out with a name, as JSON. */
#define _GNU_SOURCE
#include <json-c/json.h>
#include <string.h>

#include "decode.h"
#include "fuzz.h"

static void decode(const uint8_t *data, size_t size, enum kind_id kind, const struct smmu_ids *ids)
{
	struct decode d = {.kind = kind, .ids = ids, .quiet = true};
	FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");

	if (!in)
		return;
	d.list = json_object_new_array();
	d.warnings = json_object_new_array();
	scan(&d, in);
	fclose(in);
	FUZZ_CHECK(json_object_array_length(d.list) == d.shown);
	FUZZ_CHECK(json_object_array_length(d.warnings) == d.left_out);
	FUZZ_CHECK(json_object_to_json_string(d.list));
	json_object_put(d.list);
	json_object_put(d.warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smmu_ids ids = SMMU_IDS_ANY;

	if (!size || size > 20000)
		return 0;
	decode(data, size, KIND_AUTO, NULL);
	/* The first byte chooses a kind and an SMMU. */
	ids.idr0 ^= (uint32_t)data[0] * 0x01010101u;
	ids.has_idr0 = data[0] & 1;
	decode(data + 1, size - 1, (enum kind_id)(data[0] % KIND_AUTO), &ids);
	return 0;
}
