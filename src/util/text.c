/* SPDX-License-Identifier: BSD-2-Clause */
/* The text builder. */
#include <smmuv3/text.h>

void smmu_text_init(struct smmu_text *t, char *buf, size_t cap)
{
	*t = (struct smmu_text){.buf = buf, .cap = cap};
	if (cap > 0)
		buf[0] = '\0';
}

void smmu_text_char(struct smmu_text *t, char c)
{
	if (smmu_text_full(t))
		return;
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
}

void smmu_text_str(struct smmu_text *t, const char *s)
{
	if (!s)
		return;
	for (; *s; s++)
		smmu_text_char(t, *s);
}

void smmu_text_dec(struct smmu_text *t, uint64_t value)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		smmu_text_char(t, digits[--n]);
}

void smmu_text_hex(struct smmu_text *t, uint64_t value, unsigned digits)
{
	unsigned n = 16;

	if (digits < 1)
		digits = 1;
	while (n > digits && n > 1 && (value >> (4 * (n - 1))) == 0)
		n--;
	smmu_text_str(t, "0x");
	while (n)
		smmu_text_char(t, "0123456789abcdef"[(value >> (4 * --n)) & 0xf]);
}
