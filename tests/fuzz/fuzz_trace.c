/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces: what is read as a call never maps what is mapped, nor unmaps what is not; twice the same. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "trace.h"

static struct trace t;

static uint64_t play(struct trace_live *live)
{
	char err[512];
	struct trace_call c;
	uint64_t sum = 0, n;
	int rc;

	FUZZ_CHECK(!trace_rewind(&t, err, sizeof(err)));
	while ((rc = trace_next(&t, &c, err, sizeof(err))) > 0) {
		FUZZ_CHECK(c.size && !(c.size % TRACE_PAGE) && !(c.iova % TRACE_PAGE));
		FUZZ_CHECK(c.iova + c.size <= 1ull << TRACE_IOVA_BITS);
		FUZZ_CHECK(c.domain < t.domains && c.domain < TRACE_MAX_DOMAINS);
		n = trace_live_count(live, c.domain, c.iova, c.size);
		FUZZ_CHECK(n == (c.map ? 0 : c.size / TRACE_PAGE));
		if (c.map)
			FUZZ_CHECK(!trace_live_add(live, c.domain, c.iova, c.size, 0, 0));
		else
			trace_live_remove(live, c.domain, c.iova, c.size);
		sum = sum * 31 + c.iova + c.size + c.domain;
	}
	FUZZ_CHECK(!rc);
	trace_live_free(live);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct trace_live live = {0};
	char err[512], text[256];
	unsigned i;

	/* Large ranges take time that says nothing. */
	if (size > 20000)
		return 0;
	if (fd < 0) {
		fd = memfd_create("trace", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	if (trace_open(&t, path, true, err, sizeof(err)))
		FUZZ_CHECK(*err);
	else
		trace_close(&t);
	if (trace_open(&t, path, false, err, sizeof(err)))
		return 0;
	FUZZ_CHECK(t.survey.used && t.survey.used <= t.survey.events);
	FUZZ_CHECK(t.survey.used + trace_left_out(&t) - t.survey.cut == t.survey.events);
	for (i = 0; trace_warning(&t, i, text, sizeof(text)); i++)
		FUZZ_CHECK(*text);
	FUZZ_CHECK(play(&live) == play(&live));
	trace_close(&t);
	return 0;
}
