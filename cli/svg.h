/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file svg.h
 * Boxes, lines and words as SVG. A drawing is right in a light and in a dark page: it brings its own background.
 */
#ifndef SMMU_CLI_SVG_H
#define SMMU_CLI_SVG_H

#include <stdbool.h>
#include <stdio.h>

struct svg {
	FILE *out;
};

enum svg_text_style { SVG_PLAIN, SVG_BOLD, SVG_SMALL, SVG_MONO };

/** Colours that can be told apart, by number; they come round again. */
const char *svg_colour(unsigned n);

/** Begin a drawing of @p width by @p height in @p path, "-" for standard output. 0, or -1 with errno set. */
int svg_open(struct svg *s, const char *path, const char *title, unsigned width, unsigned height);
/** End it. 0, or -1 with errno set if anything could not be written. */
int svg_close(struct svg *s);

void svg_box(struct svg *s, double x, double y, double w, double h, const char *fill,
	     const char *stroke);
/** @p y: of the line that letters stand on. @p anchor: "start", "middle" or "end". */
void svg_text(struct svg *s, double x, double y, enum svg_text_style style, const char *colour,
	      const char *anchor, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/** From left to right, bent so that it leaves and arrives level. */
void svg_curve(struct svg *s, double x1, double y1, double x2, double y2, const char *colour,
	       double width);
void svg_line(struct svg *s, double x1, double y1, double x2, double y2, const char *colour,
	      double width);

/** Open @p path for writing, "-" for standard output; NULL with errno set. */
FILE *picture_open(const char *path);
/** Close what picture_open() gave, unless it is standard output: 0, or -1 with errno set. */
int picture_close(FILE *out);

#endif
