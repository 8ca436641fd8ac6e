/* SPDX-License-Identifier: BSD-2-Clause */
/* Boxes, lines and words as SVG. */
#include "svg.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

FILE *picture_open(const char *path)
{
	errno = 0;
	return strcmp(path, "-") ? fopen(path, "w") : stdout;
}

int picture_close(FILE *out)
{
	bool bad = ferror(out) != 0;

	if (out == stdout)
		bad = fflush(out) || bad;
	else
		bad = fclose(out) || bad;
	if (bad && !errno)
		errno = EIO;
	return bad ? -1 : 0;
}

const char *svg_colour(unsigned n)
{
	static const char *const colours[] = {"#0b6bcb", "#c2410c", "#15803d", "#7e22ce",
					      "#a16207", "#0e7490", "#be185d", "#4d5563"};

	return colours[n % (sizeof(colours) / sizeof(colours[0]))];
}

/* What XML wants said in another way; what it cannot say at all becomes a question mark. */
static void escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else
			fputc((unsigned char)*text < 0x20 ? '?' : *text, out);
	}
}

int svg_open(struct svg *s, const char *path, const char *title, unsigned width, unsigned height)
{
	s->out = picture_open(path);
	if (!s->out)
		return -1;
	fprintf(s->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\">\n<title>",
		width, height, width, height);
	escaped(s->out, title);
	fprintf(s->out,
		"</title>\n<style>text{font-family:system-ui,\"DejaVu "
		"Sans\",sans-serif;font-size:13px}"
		".b{font-weight:600}.s{font-size:11px}"
		".m{font-family:ui-monospace,\"DejaVu Sans "
		"Mono\",monospace;font-size:11px}</style>\n"
		"<rect width=\"%u\" height=\"%u\" fill=\"#ffffff\"/>\n",
		width, height);
	return 0;
}

int svg_close(struct svg *s)
{
	fputs("</svg>\n", s->out);
	return picture_close(s->out);
}

void svg_box(struct svg *s, double x, double y, double w, double h, const char *fill,
	     const char *stroke)
{
	fprintf(s->out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"4\" fill=\"%s\" "
		"stroke=\"%s\"/>\n",
		x, y, w, h, fill, stroke);
}

void svg_text(struct svg *s, double x, double y, enum svg_text_style style, const char *colour,
	      const char *anchor, const char *fmt, ...)
{
	static const char *const classes[] = {"", " class=\"b\"", " class=\"s\"", " class=\"m\""};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(s->out, "<text x=\"%.1f\" y=\"%.1f\"%s fill=\"%s\" text-anchor=\"%s\">", x, y,
		classes[style], colour, anchor);
	escaped(s->out, text);
	fputs("</text>\n", s->out);
}

void svg_curve(struct svg *s, double x1, double y1, double x2, double y2, const char *colour,
	       double width)
{
	double middle = (x1 + x2) / 2;

	fprintf(s->out,
		"<path d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\" fill=\"none\" stroke=\"%s\" "
		"stroke-width=\"%.1f\" stroke-opacity=\"0.75\"/>\n",
		x1, y1, middle, y1, middle, y2, x2, y2, colour, width);
}

void svg_line(struct svg *s, double x1, double y1, double x2, double y2, const char *colour,
	      double width)
{
	fprintf(s->out,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
		"stroke-width=\"%.1f\"/>\n",
		x1, y1, x2, y2, colour, width);
}
