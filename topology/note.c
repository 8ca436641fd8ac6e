/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reader says: why a table cannot be read, and what was left out of one that can. */
#include "build.h"

int topology_fail(const struct topology_build *b, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (b->errlen)
		topology_vformat(b->err, b->errlen, fmt, ap);
	va_end(ap);
	return code;
}

int topology_no_memory(const struct topology_build *b)
{
	return topology_fail(b, -SMMU_ENOMEM, "out of memory");
}

static int note(const struct topology_build *b, size_t left_out, const char *text)
{
	struct smmu_topology *t = b->t;
	char **warnings, *copy;

	if (b->how & SMMU_TOPOLOGY_STRICT)
		return topology_fail(b, -SMMU_EINVAL, "%s", text);
	t->left_out += left_out;
	if (t->n_warnings == SMMU_TOPOLOGY_MAX_WARNINGS) {
		t->more_warnings++;
		return 0;
	}
	warnings = topology_grow(t->warnings, t->n_warnings, sizeof(*warnings));
	if (warnings)
		t->warnings = warnings;
	copy = topology_copy(text);
	if (!warnings || !copy) {
		topology_release(copy);
		return topology_no_memory(b);
	}
	warnings[t->n_warnings++] = copy;
	return 0;
}

int topology_warn(const struct topology_build *b, const char *fmt, ...)
{
	char text[SMMU_TOPOLOGY_ERR];
	va_list ap;

	va_start(ap, fmt);
	topology_vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	return note(b, 0, text);
}

int topology_leave_out(const struct topology_build *b, size_t n, const char *fmt, ...)
{
	char text[SMMU_TOPOLOGY_ERR];
	va_list ap;

	va_start(ap, fmt);
	topology_vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	return note(b, n, text);
}
