/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `smmuv3 topology`: read or make up a topology and show it, for people and as JSON.
 */
#include "cmd_topology.h"

#include "topology.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_BAD 2
#define MAX_RANGES_SHOWN 16

static const char usage[] =
	"usage: smmuv3 topology [--iort FILE | --dtb FILE | --smmus N --devices N] [--json FILE]\n"
	"\n"
	"Show the SMMUv3 instances of a machine, and which device ids reach which of them as\n"
	"which stream.\n"
	"\n"
	"  --iort FILE   an ACPI IORT, such as /sys/firmware/acpi/tables/IORT\n"
	"  --dtb FILE    a flattened device tree, such as /sys/firmware/fdt\n"
	"  --smmus N     without a file: so many made-up instances (2)\n"
	"  --devices N   and so many devices on each (4)\n"
	"  --json FILE   write JSON there; - is standard output, and only JSON is printed\n"
	"  --help        this text\n"
	"\n"
	"Exit status: 0, or 2 for bad usage or bad input.\n";

static struct json_object *streams_json(const struct smmu_topology_root *root)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; list && i < root->n_streams; i++) {
		const struct smmu_topology_streams *range = &root->streams[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "first", json_object_new_int64(range->first));
		json_object_object_add(o, "count", json_object_new_int64((int64_t)range->count));
		json_object_object_add(o, "smmu", json_object_new_int64(range->smmu));
		json_object_object_add(o, "stream", json_object_new_int64(range->stream));
		json_object_array_add(list, o);
	}
	return list;
}

/* What is not known is null. */
static struct json_object *maybe(bool known, uint32_t value)
{
	return known ? json_object_new_int64(value) : NULL;
}

struct json_object *smmu_topology_json(const struct smmu_topology *t)
{
	struct json_object *top = json_object_new_object();
	struct json_object *smmus = json_object_new_array();
	struct json_object *roots = json_object_new_array();
	size_t i;

	if (!top || !smmus || !roots) {
		json_object_put(top);
		json_object_put(smmus);
		json_object_put(roots);
		return NULL;
	}
	json_object_object_add(top, "smmus", smmus);
	json_object_object_add(top, "roots", roots);
	for (i = 0; i < t->n_smmus; i++) {
		const struct smmu_topology_smmu *smmu = &t->smmus[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "index", json_object_new_int64(smmu->index));
		json_object_object_add(o, "base", json_object_new_uint64(smmu->base));
		json_object_object_add(o, "coherent", json_object_new_boolean(smmu->coherent));
		json_object_object_add(o, "node", maybe(smmu->has_numa, smmu->numa));
		json_object_object_add(o, "name", json_object_new_string(smmu->name));
		json_object_object_add(o, "size", json_object_new_uint64(smmu->size));
		if (smmu->has_gsivs) {
			struct json_object *gsivs = json_object_new_object();

			json_object_object_add(gsivs, "event",
					       json_object_new_int64(smmu->event_gsiv));
			json_object_object_add(gsivs, "pri", json_object_new_int64(smmu->pri_gsiv));
			json_object_object_add(gsivs, "gerror",
					       json_object_new_int64(smmu->gerror_gsiv));
			json_object_object_add(gsivs, "sync",
					       json_object_new_int64(smmu->sync_gsiv));
			json_object_object_add(o, "gsivs", gsivs);
		}
		json_object_array_add(smmus, o);
	}
	for (i = 0; i < t->n_roots; i++) {
		const struct smmu_topology_root *root = &t->roots[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "kind",
				       json_object_new_string(smmu_topology_kind_name(root->kind)));
		json_object_object_add(o, "name", json_object_new_string(root->name));
		json_object_object_add(o, "segment", maybe(root->has_segment, root->segment));
		json_object_object_add(o, "ats", json_object_new_boolean(root->ats));
		json_object_object_add(o, "coherent", json_object_new_boolean(root->coherent));
		json_object_object_add(o, "streams", streams_json(root));
		json_object_array_add(roots, o);
	}
	return top;
}

/* A requester id as lspci writes it. */
static void print_range(FILE *out, const struct smmu_topology_root *root,
			const struct smmu_topology_streams *range)
{
	uint32_t first = range->first, last = (uint32_t)(first + range->count - 1);
	char inputs[64], bdf[64] = "";

	snprintf(inputs, sizeof(inputs), "0x%" PRIx32 "-0x%" PRIx32, first, last);
	if (last <= 0xffff &&
	    (root->kind == SMMU_TOPOLOGY_ROOT_COMPLEX || root->kind == SMMU_TOPOLOGY_PCIE_HOST))
		snprintf(bdf, sizeof(bdf), "%02x:%02x.%x-%02x:%02x.%x", first >> 8, first >> 3 & 31,
			 first & 7, last >> 8, last >> 3 & 31, last & 7);
	fprintf(out, "      inputs %-17s %-15s -> smmu %u, streams 0x%" PRIx32 "-0x%" PRIx32 "\n",
		inputs, bdf, range->smmu, range->stream,
		(uint32_t)(range->stream + range->count - 1));
}

void smmu_topology_print(FILE *out, const char *title, const struct smmu_topology *t)
{
	char number[16];
	size_t i, j;

	fprintf(out, "%s: %zu SMMUv3 instance%s, %zu root%s\n", title, t->n_smmus,
		t->n_smmus == 1 ? "" : "s", t->n_roots, t->n_roots == 1 ? "" : "s");
	if (t->n_smmus)
		fprintf(out, "\nSMMU  %-18s  coherent  NUMA  %10s  name\n", "base", "streams");
	for (i = 0; i < t->n_smmus; i++) {
		const struct smmu_topology_smmu *smmu = &t->smmus[i];

		snprintf(number, sizeof(number), "%" PRIu32, smmu->numa);
		fprintf(out, "%4u  0x%016" PRIx64 "  %-8s  %4s  %10" PRIu64 "  %s\n", smmu->index,
			smmu->base, smmu->coherent ? "yes" : "no", smmu->has_numa ? number : "-",
			smmu->n_streams, smmu->name);
	}
	if (t->n_roots)
		fprintf(out, "\nroot  %-15s  segment  ATS  name\n", "kind");
	for (i = 0; i < t->n_roots; i++) {
		const struct smmu_topology_root *root = &t->roots[i];

		snprintf(number, sizeof(number), "%" PRIu32, root->segment);
		fprintf(out, "%4zu  %-15s  %7s  %-3s  %s\n", i, smmu_topology_kind_name(root->kind),
			root->has_segment ? number : "-", root->ats ? "yes" : "no", root->name);
		for (j = 0; j < root->n_streams && j < MAX_RANGES_SHOWN; j++)
			print_range(out, root, &root->streams[j]);
		if (j < root->n_streams)
			fprintf(out, "      and %zu ranges more (--json has all)\n",
				root->n_streams - j);
		if (!root->n_streams)
			fprintf(out, "      reaches no SMMUv3\n");
	}
}

/* Write JSON to the file @p path, "-" for standard output. */
static int write_json(const char *path, const struct smmu_topology *t)
{
	struct json_object *top = smmu_topology_json(t);
	const char *text = NULL;
	FILE *out;
	bool bad;

	if (top)
		text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
								   JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text) {
		json_object_put(top);
		fprintf(stderr, "smmuv3 topology: out of memory\n");
		return EXIT_BAD;
	}
	errno = 0;
	if (!strcmp(path, "-")) {
		bad = fprintf(stdout, "%s\n", text) < 0 || fflush(stdout);
	} else {
		out = fopen(path, "w");
		bad = !out || fprintf(out, "%s\n", text) < 0;
		if (out && fclose(out))
			bad = true;
	}
	json_object_put(top);
	if (!bad)
		return 0;
	fprintf(stderr, "smmuv3 topology: %s: %s; expected a place to write JSON\n", path,
		strerror(errno ? errno : EIO));
	return EXIT_BAD;
}

/* A number from 1 to @p max. */
static int parse_number(const char *option, const char *text, unsigned max, unsigned *value)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || !n || n > max) {
		fprintf(stderr, "smmuv3 topology: --%s %s: expected a number from 1 to %u\n",
			option, text, max);
		return EXIT_BAD;
	}
	*value = (unsigned)n;
	return 0;
}

static int show(const char *file, enum smmu_topology_format format, unsigned n_smmus,
		unsigned n_devices, const char *json)
{
	char err[4096 + SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;
	int rc;

	if (file) {
		rc = smmu_topology_from_file(file, format, &t, err, sizeof(err));
	} else {
		snprintf(err, sizeof(err), "out of memory");
		rc = smmu_topology_synthetic(n_smmus, n_devices, &t);
	}
	if (rc) {
		fprintf(stderr, "smmuv3 topology: %s\n", err);
		return EXIT_BAD;
	}
	rc = 0;
	if (!json || strcmp(json, "-")) {
		smmu_topology_print(stdout, file ? file : "made up", &t);
		if (fflush(stdout) || ferror(stdout)) {
			fprintf(stderr, "smmuv3 topology: standard output: %s\n", strerror(errno));
			rc = EXIT_BAD;
		}
	}
	if (!rc && json)
		rc = write_json(json, &t);
	smmu_topology_free(&t);
	return rc;
}

int smmu_cli_topology(int argc, char **argv)
{
	enum { IORT = 1, DTB, SMMUS, DEVICES, JSON, HELP };
	static const struct option options[] = {
		{"iort", required_argument, NULL, IORT},
		{"dtb", required_argument, NULL, DTB},
		{"smmus", required_argument, NULL, SMMUS},
		{"devices", required_argument, NULL, DEVICES},
		{"json", required_argument, NULL, JSON},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};
	const char *iort = NULL, *dtb = NULL, *json = NULL;
	unsigned n_smmus = 0, n_devices = 0;
	int option, rc = 0;

	optind = 0; /* glibc: start anew, whoever parsed before */
	while (!rc && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case IORT:
			iort = optarg;
			break;
		case DTB:
			dtb = optarg;
			break;
		case SMMUS:
			rc = parse_number("smmus", optarg, SMMU_TOPOLOGY_MAX_SMMUS, &n_smmus);
			break;
		case DEVICES:
			rc = parse_number("devices", optarg, SMMU_TOPOLOGY_MAX_DEVICES, &n_devices);
			break;
		case JSON:
			json = optarg;
			break;
		case 'h':
		case HELP:
			fputs(usage, stdout);
			return 0;
		default: /* getopt has said what is wrong */
			fputs("Try 'smmuv3 topology --help'.\n", stderr);
			return EXIT_BAD;
		}
	}
	if (rc)
		return rc;
	if (optind < argc) {
		fprintf(stderr, "smmuv3 topology: unexpected '%s'; expected options only\n",
			argv[optind]);
		return EXIT_BAD;
	}
	if ((iort != NULL) + (dtb != NULL) + (n_smmus || n_devices) > 1) {
		fprintf(stderr, "smmuv3 topology: expected one of --iort, --dtb and "
				"--smmus with --devices\n");
		return EXIT_BAD;
	}
	return show(iort ? iort : dtb, iort ? SMMU_TOPOLOGY_IORT : SMMU_TOPOLOGY_DTB,
		    n_smmus ? n_smmus : 2, n_devices ? n_devices : 4, json);
}
