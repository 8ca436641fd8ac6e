/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages without a C library: the conversions that readers of tables use, and no others. */
#include "build.h"

struct sink {
	char *to;
	size_t cap, len; /* len counts what did not fit as well */
};

static void put(struct sink *s, char c)
{
	if (s->len + 1 < s->cap)
		s->to[s->len] = c;
	s->len++;
}

static void put_number(struct sink *s, uint64_t value, unsigned base, bool negative, char pad,
		       unsigned width)
{
	char digit[20];
	unsigned n = 0;

	do {
		digit[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	/* Zeros stand behind the sign, blanks before it. */
	if (negative && pad == '0')
		put(s, '-');
	for (unsigned i = n + negative; i < width; i++)
		put(s, pad);
	if (negative && pad != '0')
		put(s, '-');
	while (n)
		put(s, digit[--n]);
}

static void put_string(struct sink *s, const char *text, bool cut, unsigned most)
{
	for (unsigned i = 0; !(cut && i >= most) && text[i]; i++)
		put(s, text[i]);
}

/* One conversion, as it stands in the format behind the per cent sign. */
struct conversion {
	char pad;
	unsigned width, precision, longs;
	bool has_precision, size;
};

/* The argument of an integer conversion. C says which types may be read how; the format attribute has checked them. */
static uint64_t get_unsigned(const struct conversion *c, va_list *ap)
{
	if (c->size)
		return va_arg(*ap, size_t);
	if (c->longs == 2)
		return va_arg(*ap, unsigned long long);
	return c->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned);
}

static int64_t get_signed(const struct conversion *c, va_list *ap)
{
	if (c->longs == 2)
		return va_arg(*ap, long long);
	return c->longs ? va_arg(*ap, long) : va_arg(*ap, int);
}

static const char *convert(struct sink *s, const char *p, va_list *ap)
{
	struct conversion c = {.pad = ' '};
	int64_t number;

	if (*p == '0')
		c.pad = *p++;
	for (; *p >= '0' && *p <= '9'; p++)
		c.width = c.width * 10 + (unsigned)(*p - '0');
	if (*p == '.') {
		c.has_precision = true;
		p++;
		if (*p == '*') {
			c.precision = (unsigned)va_arg(*ap, int);
			p++;
		}
		for (; *p >= '0' && *p <= '9'; p++)
			c.precision = c.precision * 10 + (unsigned)(*p - '0');
	}
	for (; *p == 'l'; p++)
		c.longs++;
	if (*p == 'z') {
		c.size = true;
		p++;
	}
	switch (*p) {
	case 's':
		put_string(s, va_arg(*ap, const char *), c.has_precision, c.precision);
		break;
	case 'u':
	case 'x':
		put_number(s, get_unsigned(&c, ap), *p == 'x' ? 16 : 10, false, c.pad, c.width);
		break;
	case 'd':
		number = get_signed(&c, ap);
		put_number(s, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 10, number < 0,
			   c.pad, c.width);
		break;
	case '%':
		put(s, '%');
		break;
	default: /* not one of ours: shown as it stands, and its argument is nobody's any more */
		put(s, '%');
		return p;
	}
	return p + 1;
}

size_t topology_vformat(char *to, size_t cap, const char *fmt, va_list ap)
{
	struct sink s = {.to = to, .cap = cap};
	va_list copy;

	va_copy(copy, ap);
	while (*fmt) {
		if (*fmt != '%')
			put(&s, *fmt++);
		else
			fmt = convert(&s, fmt + 1, &copy);
	}
	va_end(copy);
	if (cap)
		to[s.len < cap ? s.len : cap - 1] = '\0';
	return s.len;
}

size_t topology_format(char *to, size_t cap, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = topology_vformat(to, cap, fmt, ap);
	va_end(ap);
	return n;
}
