/* SPDX-License-Identifier: BSD-2-Clause */
/* A topology as a picture: what may start a transaction on the left, the SMMUs on the right. */
#include "cmd_topology.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "svg.h"

#define WIDTH 1040u
#define TOP 64.0
#define LINE 18.0
#define GAP 14.0
#define ROOT_X 20.0
#define ROOT_W 500.0
#define SMMU_X 720.0
#define SMMU_W 300.0
#define MAX_RANGES 16u /* of one root */
#define INK "#1f2328"
#define FAINT "#6b7280"

static double root_height(const struct smmu_topology_root *root)
{
	size_t n = root->n_streams < MAX_RANGES ? root->n_streams : MAX_RANGES + 1;

	return 48 + LINE * (double)(n ? n : 1);
}

static size_t reserved_of(const struct smmu_topology *t, unsigned smmu)
{
	size_t i, n = 0;

	for (i = 0; i < t->n_reserved; i++)
		n += t->reserved[i].smmu == smmu;
	return n;
}

static double smmu_height(const struct smmu_topology *t, unsigned i)
{
	return 64 + LINE * (double)reserved_of(t, i);
}

/* A name of more than @most letters, at most 60, loses its middle. */
static const char *shorten(const char *name, char out[64], size_t most)
{
	size_t length = strlen(name), head = most / 3;

	if (length < most)
		return name;
	snprintf(out, 64, "%.*s...%s", (int)head, name, name + length - (most - head - 4));
	return out;
}

static void draw_smmu(struct svg *s, const struct smmu_topology *t, unsigned i, double y)
{
	const struct smmu_topology_smmu *smmu = &t->smmus[i];
	const char *model = smmu->has_model ? smmu_topology_model_name(smmu->model) : NULL;
	double at = y + 58;
	char name[64];
	size_t k;

	svg_box(s, SMMU_X, y, SMMU_W, smmu_height(t, i), "#f6f8fa", svg_colour(i));
	svg_box(s, SMMU_X, y, 6, smmu_height(t, i), svg_colour(i), svg_colour(i));
	svg_text(s, SMMU_X + 16, y + 20, SVG_BOLD, INK, "start", "smmu %u", i);
	svg_text(s, SMMU_X + SMMU_W - 10, y + 20, SVG_MONO, INK, "end", "0x%" PRIx64, smmu->base);
	svg_text(s, SMMU_X + 16, y + 38, SVG_SMALL, FAINT, "start", "%s",
		 shorten(smmu->name, name, 46));
	svg_text(s, SMMU_X + 16, y + 54, SVG_SMALL, FAINT, "start",
		 "%" PRIu64 " streams, %scoherent%s%s", smmu->n_streams,
		 smmu->coherent ? "" : "not ", smmu->model && model ? ", " : "",
		 smmu->model && model ? model : "");
	for (k = 0; k < t->n_reserved; k++) {
		const struct smmu_topology_reserved *r = &t->reserved[k];

		if (r->smmu != i)
			continue;
		at += LINE;
		svg_text(s, SMMU_X + 16, at - 6, SVG_MONO, INK, "start",
			 "reserved 0x%" PRIx64 "+0x%" PRIx64 " for 0x%" PRIx32, r->base, r->size,
			 r->stream);
	}
}

/* What a root can do, as words in small boxes from the right. */
static void draw_abilities(struct svg *s, const struct smmu_topology_root *root, double y)
{
	double x = ROOT_X + ROOT_W - 10;
	char pasid[24];
	const struct {
		bool on;
		const char *word, *fill;
		double width;
	} words[] = {
		{root->stall, "stall", "#fde8d7", 38},
		{root->has_pasid && root->pasid_bits, pasid, "#e8e3f8", 62},
		{root->pri, "PRI", "#dff3e4", 30},
		{root->ats, "ATS", "#d6e8fb", 32},
	};
	size_t i;

	snprintf(pasid, sizeof(pasid), "PASID %u", root->pasid_bits);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!words[i].on)
			continue;
		x -= words[i].width;
		svg_box(s, x, y, words[i].width, 18, words[i].fill, "#c5cdd6");
		svg_text(s, x + words[i].width / 2, y + 13, SVG_SMALL, INK, "middle", "%s",
			 words[i].word);
		x -= 5;
	}
}

static void draw_root(struct svg *s, const struct smmu_topology *t, size_t n, double y,
		      const double *smmu_y)
{
	const struct smmu_topology_root *root = &t->roots[n];
	const char *ink = root->n_streams ? INK : FAINT;
	char name[64], segment[32] = "";
	double at = y + 44;
	size_t i;

	svg_box(s, ROOT_X, y, ROOT_W, root_height(root), root->n_streams ? "#ffffff" : "#f3f4f6",
		"#9aa4b0");
	svg_text(s, ROOT_X + 12, y + 20, SVG_BOLD, ink, "start", "%s",
		 shorten(root->name, name, 44));
	if (root->has_segment)
		snprintf(segment, sizeof(segment), ", segment %" PRIu32, root->segment);
	svg_text(s, ROOT_X + 12, y + 36, SVG_SMALL, FAINT, "start", "%s%s%s",
		 smmu_topology_kind_name(root->kind), segment,
		 root->coherent ? "" : ", not coherent");
	draw_abilities(s, root, y + 8);
	if (!root->n_streams)
		svg_text(s, ROOT_X + 24, at + 10, SVG_SMALL, FAINT, "start", "reaches no SMMUv3");
	for (i = 0; i < root->n_streams && i < MAX_RANGES; i++, at += LINE) {
		const struct smmu_topology_streams *range = &root->streams[i];
		const char *colour = svg_colour(range->smmu);
		const struct smmu_topology_smmu *smmu = &t->smmus[range->smmu];

		svg_text(s, ROOT_X + 24, at + 10, SVG_MONO, INK, "start",
			 "inputs 0x%" PRIx32 "-0x%" PRIx32, range->first,
			 (uint32_t)(range->first + range->count - 1));
		svg_text(s, ROOT_X + ROOT_W - 12, at + 10, SVG_MONO, colour, "end",
			 "streams 0x%" PRIx32 "-0x%" PRIx32, range->stream,
			 (uint32_t)(range->stream + range->count - 1));
		svg_curve(s, ROOT_X + ROOT_W, at + 6, SMMU_X,
			  smmu_y[range->smmu] + smmu_height(t, smmu->index) / 2, colour, 1.6);
	}
	if (i < root->n_streams)
		svg_text(s, ROOT_X + 24, at + 10, SVG_SMALL, FAINT, "start", "and %zu ranges more",
			 root->n_streams - i);
}

int smmu_topology_svg(const char *path, const char *title, const struct smmu_topology *t)
{
	double left = TOP, right = TOP, y, space, *smmu_y = calloc(t->n_smmus + 1, sizeof(*smmu_y));
	struct svg s;
	size_t i;

	if (!smmu_y)
		return -1;
	for (i = 0; i < t->n_roots; i++)
		left += root_height(&t->roots[i]) + GAP;
	for (i = 0; i < t->n_smmus; i++)
		right += smmu_height(t, (unsigned)i) + GAP;
	/* The shorter column is spread over the height of the longer one. */
	space = left > right ? (left - right) / (double)(t->n_smmus + 1) : 0;
	for (i = 0, y = TOP + space; i < t->n_smmus; i++) {
		smmu_y[i] = y;
		y += smmu_height(t, (unsigned)i) + GAP + space;
	}
	if (svg_open(&s, path, title, WIDTH, (unsigned)(left > right ? left : right) + 20)) {
		free(smmu_y);
		return -1;
	}
	svg_text(&s, ROOT_X, 26, SVG_BOLD, INK, "start", "%s", title);
	svg_text(&s, ROOT_X, 46, SVG_SMALL, FAINT, "start",
		 "%zu SMMUv3 instance%s, %zu root%s; %zu item%s left out", t->n_smmus,
		 t->n_smmus == 1 ? "" : "s", t->n_roots, t->n_roots == 1 ? "" : "s", t->left_out,
		 t->left_out == 1 ? "" : "s");
	for (i = 0, y = TOP; i < t->n_roots; i++) {
		draw_root(&s, t, i, y, smmu_y);
		y += root_height(&t->roots[i]) + GAP;
	}
	for (i = 0; i < t->n_smmus; i++)
		draw_smmu(&s, t, (unsigned)i, smmu_y[i]);
	free(smmu_y);
	return svg_close(&s);
}

/* A string of the DOT language. */
static void quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

int smmu_topology_dot(const char *path, const char *title, const struct smmu_topology *t)
{
	FILE *out = picture_open(path);
	size_t i, j;

	if (!out)
		return -1;
	fputs("digraph ", out);
	quoted(out, title);
	fputs(" {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n", out);
	for (i = 0; i < t->n_smmus; i++)
		fprintf(out, "\tsmmu%zu [label=\"smmu %zu\\n0x%" PRIx64 "\", color=\"%s\"];\n", i,
			i, t->smmus[i].base, svg_colour((unsigned)i));
	for (i = 0; i < t->n_roots; i++) {
		const struct smmu_topology_root *root = &t->roots[i];

		fprintf(out, "\troot%zu [label=", i);
		quoted(out, root->name);
		fprintf(out, ", tooltip=\"%s%s\"%s];\n", smmu_topology_kind_name(root->kind),
			root->ats ? ", ATS" : "", root->ats ? ", penwidth=2" : "");
		for (j = 0; j < root->n_streams; j++) {
			const struct smmu_topology_streams *range = &root->streams[j];

			fprintf(out,
				"\troot%zu -> smmu%u [label=\"0x%" PRIx32 "-0x%" PRIx32
				" as 0x%" PRIx32 "\", color=\"%s\"];\n",
				i, range->smmu, range->first,
				(uint32_t)(range->first + range->count - 1), range->stream,
				svg_colour(range->smmu));
		}
	}
	fputs("}\n", out);
	return picture_close(out);
}
