/* SPDX-License-Identifier: BSD-2-Clause */
#include "traces.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char traces_path[] = "/tmp/smmuv3-trace-XXXXXX";
char traces_err[512];
struct trace traces_t;

void traces_write(const void *data, size_t size)
{
	FILE *f = fopen(traces_path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

int traces_open(const char *text, bool strict)
{
	traces_write(text, strlen(text));
	traces_err[0] = '\0';
	return trace_open(&traces_t, traces_path, strict, traces_err, sizeof(traces_err));
}

void traces_check(const char *text, const char *expected)
{
	char got[2048];
	struct trace_call c;
	unsigned round;
	size_t n;
	int rc;

	if (traces_open(text, false))
		fail_msg("refused: %s", traces_err);
	for (round = 0; round < 2; round++) {
		assert_int_equal(trace_rewind(&traces_t, traces_err, sizeof(traces_err)), 0);
		for (n = 0, got[0] = '\0';
		     (rc = trace_next(&traces_t, &c, traces_err, sizeof(traces_err))) > 0;)
			n += (size_t)snprintf(got + n, sizeof(got) - n,
					      "%s%c%u:%" PRIx64 "+%" PRIx64, n ? " " : "",
					      c.map ? '+' : '-', c.domain, c.iova >> 12,
					      c.size >> 12);
		assert_int_equal(rc, 0);
		assert_string_equal(got, expected);
	}
	assert_memory_equal(&traces_t.counts, &traces_t.survey, sizeof(traces_t.counts));
}

void traces_calls(const char *text, const char *expected)
{
	traces_check(text, expected);
	trace_close(&traces_t);
}

int traces_setup(void **state)
{
	int fd = mkstemp(traces_path);

	return fd < 0 ? -1 : close(fd);
}

int traces_teardown(void **state)
{
	return unlink(traces_path);
}
