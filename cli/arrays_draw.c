/* SPDX-License-Identifier: BSD-2-Clause */
/* The invalidation arrays as a picture: a column for each instance, a row for each domain, an operation in each box. */
#include "arrays_draw.h"

#include <inttypes.h>

#include "svg.h"

#define LEFT 150.0
#define TOP 76.0
#define COLUMN 190.0
#define BOX_W 170.0
#define BOX_H 34.0
#define STEP 42.0
#define PAD 14.0
#define MAX_SHOWN 24u /* of one domain on one instance */
#define INK "#1f2328"
#define FAINT "#6b7280"

const char *arrays_kind_name(uint32_t kind)
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

/* Rows of boxes that the domain's array takes: as many as it has operations on one instance. */
static unsigned rows(const struct smmu_inv_array *a)
{
	unsigned most = 0, n = 0;
	uint32_t i;

	for (i = 0; a && i < a->count; i++) {
		n = i && a->entry[i].index == a->entry[i - 1].index ? n + 1 : 1;
		if (n > most)
			most = n;
	}
	return most < MAX_SHOWN ? most : MAX_SHOWN + 1;
}

static double band(const struct machine_domain *d)
{
	unsigned n = rows(d->d.inv);

	return 2 * PAD + STEP * (n ? n : 1);
}

static void draw_box(struct svg *s, const struct smmu_inv *e, uint32_t i, double x, double y)
{
	bool ats = e->kind >= SMMU_INV_ATS;
	char id[48];

	if (!ats)
		snprintf(id, sizeof(id), "%" PRIu32, e->id);
	else if (e->substream)
		snprintf(id, sizeof(id), "0x%" PRIx32 " ssid 0x%x", e->id, e->substream - 1);
	else
		snprintf(id, sizeof(id), "0x%" PRIx32, e->id);
	svg_box(s, x, y, BOX_W, BOX_H, ats ? "#fdf3e7" : "#e9f2fc", svg_colour(e->index));
	svg_text(s, x + 8, y + 14, SVG_SMALL, FAINT, "start", "%" PRIu32, i);
	svg_text(s, x + 30, y + 14, SVG_BOLD, INK, "start", "%s", arrays_kind_name(e->kind));
	svg_text(s, x + 30, y + 28, SVG_MONO, INK, "start", "%s", id);
	svg_text(s, x + BOX_W - 8, y + 28, SVG_SMALL, FAINT, "end", "%u user%s", e->users,
		 e->users == 1 ? "" : "s");
}

static void draw_domain(struct svg *s, const struct machine_domain *d, double y, double width)
{
	const struct smmu_inv_array *a = d->d.inv;
	double last_x = 0, last_y = 0;
	uint32_t i, count = a ? a->count : 0;
	unsigned n = 0;

	svg_line(s, 16, y, width - 16, y, "#d0d7de", 1);
	svg_text(s, 20, y + PAD + 16, SVG_BOLD, INK, "start", "domain %u", d->index);
	svg_text(s, 20, y + PAD + 34, SVG_SMALL, FAINT, "start",
		 "stage %s, %" PRIu32 " operation%s", machine_stage(d), count,
		 count == 1 ? "" : "s");
	for (i = 0; i < count; i++) {
		const struct smmu_inv *e = &a->entry[i];
		bool next = i && e->index != a->entry[i - 1].index;
		double x = LEFT + COLUMN * e->index;
		double at;

		n = i && !next ? n + 1 : 0;
		at = y + PAD + STEP * n;
		if (n > MAX_SHOWN)
			continue;
		if (n == MAX_SHOWN) {
			svg_text(s, x + 8, at + 20, SVG_SMALL, FAINT, "start", "and more");
			continue;
		}
		/* A sweep goes from box to box. */
		if (next)
			svg_curve(s, last_x + BOX_W, last_y + BOX_H / 2, x, at + BOX_H / 2,
				  "#8b949e", 1.4);
		else if (i)
			svg_line(s, x + 14, at - (STEP - BOX_H), x + 14, at, "#8b949e", 1.4);
		draw_box(s, e, i, x, at);
		last_x = x;
		last_y = at;
	}
}

int arrays_svg(const char *path, const struct machine *m)
{
	double width = LEFT + COLUMN * m->smmus + 10, y = TOP;
	struct svg s;
	unsigned i;

	for (i = 0; i < m->domains; i++)
		y += band(&m->domain[i]);
	if (svg_open(&s, path, "Invalidation arrays", (unsigned)width, (unsigned)y + 16))
		return -1;
	svg_text(&s, 20, 26, SVG_BOLD, INK, "start", "What a sweep follows in each domain");
	for (i = 0; i < m->smmus; i++)
		svg_text(&s, LEFT + COLUMN * i, 58, SVG_BOLD, svg_colour(i), "start", "smmu %u", i);
	for (i = 0, y = TOP; i < m->domains; i++) {
		draw_domain(&s, &m->domain[i], y, width);
		y += band(&m->domain[i]);
	}
	return svg_close(&s);
}
