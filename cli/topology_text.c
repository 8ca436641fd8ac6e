/* SPDX-License-Identifier: BSD-2-Clause */
/* A topology as text. */
#include "cmd_topology.h"

#include <inttypes.h>
#include <string.h>

#include "machine_table.h"

#define MAX_RANGES_SHOWN 16

const char *topology_quirk_name(unsigned bit)
{
	static const char *const names[] = {"no-range", "split-atc", "twice",
					    "no-msi",   "no-ats",    "page0-only",
					    "no-sev",   "no-nested", "one-kind"};

	return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : "another";
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

/* What is known of the part, in a line of its own when it is more than usual. */
static void print_part(FILE *out, const struct smmu_topology_smmu *smmu)
{
	const char *model = smmu->has_model ? smmu_topology_model_name(smmu->model) : NULL;
	uint32_t quirks = machine_table_quirks(smmu);
	unsigned bit;

	if (smmu->has_model && smmu->model) {
		if (model)
			fprintf(out, "      model %s\n", model);
		else
			fprintf(out, "      model %" PRIu32 " (not known)\n", smmu->model);
	}
	if (smmu->compatible && strcmp(smmu->compatible, "arm,smmu-v3"))
		fprintf(out, "      compatible %s\n", smmu->compatible);
	if (quirks)
		fprintf(out, "      errata:");
	for (bit = 0; bit < 32; bit++)
		if (quirks >> bit & 1)
			fprintf(out, " %s", topology_quirk_name(bit));
	if (quirks)
		fputc('\n', out);
	if (smmu->disabled)
		fprintf(out, "      disabled by the firmware, used all the same (--all)\n");
	if (smmu->combined)
		fprintf(out, "      one interrupt for all: %" PRIu32 "\n", smmu->event_gsiv);
}

static void print_smmus(FILE *out, const struct smmu_topology *t)
{
	char number[16];
	size_t i;

	if (t->n_smmus)
		fprintf(out, "\nSMMU  %-18s  coherent  NUMA  %10s  name\n", "base", "streams");
	for (i = 0; i < t->n_smmus; i++) {
		const struct smmu_topology_smmu *smmu = &t->smmus[i];

		snprintf(number, sizeof(number), "%" PRIu32, smmu->numa);
		fprintf(out, "%4u  0x%016" PRIx64 "  %-8s  %4s  %10" PRIu64 "  %s\n", smmu->index,
			smmu->base, smmu->coherent ? "yes" : "no", smmu->has_numa ? number : "-",
			smmu->n_streams, smmu->name);
		print_part(out, smmu);
	}
}

static void print_roots(FILE *out, const struct smmu_topology *t)
{
	char segment[16], pasid[16];
	size_t i, j;

	if (t->n_roots)
		fprintf(out, "\nroot  %-15s  segment  ATS  PRI  PASID  stall  name\n", "kind");
	for (i = 0; i < t->n_roots; i++) {
		const struct smmu_topology_root *root = &t->roots[i];

		snprintf(segment, sizeof(segment), "%" PRIu32, root->segment);
		snprintf(pasid, sizeof(pasid), "%u", root->pasid_bits);
		fprintf(out, "%4zu  %-15s  %7s  %-3s  %-3s  %5s  %-5s  %s\n", i,
			smmu_topology_kind_name(root->kind), root->has_segment ? segment : "-",
			root->ats ? "yes" : "no", root->pri ? "yes" : "no",
			root->has_pasid ? pasid : "-", root->stall ? "yes" : "no", root->name);
		for (j = 0; j < root->n_streams && j < MAX_RANGES_SHOWN; j++)
			print_range(out, root, &root->streams[j]);
		if (j < root->n_streams)
			fprintf(out, "      and %zu ranges more (--json has all)\n",
				root->n_streams - j);
		if (!root->n_streams)
			fprintf(out, "      reaches no SMMUv3\n");
	}
}

static void print_reserved(FILE *out, const struct smmu_topology *t)
{
	size_t i;

	if (t->n_reserved)
		fprintf(out, "\nreserved memory, to stay mapped one to one\n");
	for (i = 0; i < t->n_reserved; i++) {
		const struct smmu_topology_reserved *r = &t->reserved[i];

		fprintf(out,
			"      0x%" PRIx64 "-0x%" PRIx64 " for smmu %u, streams 0x%" PRIx32
			"-0x%" PRIx32 "%s%s  %s\n",
			r->base, r->base + r->size - 1, r->smmu, r->stream,
			(uint32_t)(r->stream + r->count - 1), r->remap ? ", may be moved" : "",
			r->privileged ? ", privileged" : "", r->name);
	}
}

void smmu_topology_print(FILE *out, const char *title, const struct smmu_topology *t)
{
	size_t i, unused = 0;

	fprintf(out, "%s: %zu SMMUv3 instance%s, %zu root%s", title, t->n_smmus,
		t->n_smmus == 1 ? "" : "s", t->n_roots, t->n_roots == 1 ? "" : "s");
	for (i = 0; i < t->n_others; i++)
		unused += !strncmp(t->others[i].kind, "SMMUv3", 6);
	if (unused)
		fprintf(out, ", %zu SMMUv3 disabled", unused);
	if (t->left_out)
		fprintf(out, ", %zu item%s left out", t->left_out, t->left_out == 1 ? "" : "s");
	fputc('\n', out);
	print_smmus(out, t);
	print_roots(out, t);
	print_reserved(out, t);
	if (t->n_others)
		fprintf(out, "\nnot used\n");
	for (i = 0; i < t->n_others; i++) {
		const struct smmu_topology_other *other = &t->others[i];

		fprintf(out, "      %s", other->kind);
		if (other->has_base)
			fprintf(out, " at 0x%" PRIx64, other->base);
		fprintf(out, ": %s%s\n", other->name,
			strncmp(other->kind, "SMMUv3", 6) ? "" : " (--all uses it)");
	}
}
