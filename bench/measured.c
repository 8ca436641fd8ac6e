/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs of their own measure: smmuv3-timing in real time, smmuv3-count in instructions. */
#include <string.h>

#include "helper.h"

#define TIMING(name, what)                                                 \
	static const char *const name##_full[] = {                         \
		"--rounds", "9", "--slice-ms", "10", what, NULL};          \
	static const char *const name##_brief[] = {"--brief", what, NULL}; \
	static struct helper name = {.folder = "bench/timing",             \
				     .program = "smmuv3-timing",           \
				     .full = name##_full,                  \
				     .brief = name##_brief}

TIMING(threads, "threads");
TIMING(locks, "locks");
TIMING(startup, "startup");
TIMING(sizes, "sizes");

static const char *const count_args[] = {"--count", NULL};
static struct helper count = {.folder = "bench/instructions",
			      .program = "smmuv3-count",
			      .full = count_args,
			      .brief = count_args};

void bench_threads(struct suite_table *t, const struct suite_options *o)
{
	t->title = "threads that invalidate at once, a processor each while there are enough; ours "
		   "beside a compare-exchange queue";
	t->x = "threads";
	t->log_y = true;
	helper_rows(&threads, t, o);
}

void bench_locks(struct suite_table *t, const struct suite_options *o)
{
	t->title = "threads that look at an array of 5 entries, or wait for those who do";
	t->x = "threads";
	t->log_y = true;
	helper_rows(&locks, t, o);
}

void bench_startup(struct suite_table *t, const struct suite_options *o)
{
	t->title = "bringing up SMMUs and devices of 8 streams, one processor";
	t->x = "streams";
	helper_rows(&startup, t, o);
}

void bench_memory(struct suite_table *t, const struct suite_options *o)
{
	t->title = "bytes of the structures that an embedder keeps";
	helper_rows(&sizes, t, o);
}

void bench_designs(struct suite_table *t, const struct suite_options *o)
{
	t->title = "instructions of a whole unmap under each design, each at its best";
	t->x = "smmus";
	t->log_y = true;
	helper_rows(&count, t, o);
}

void bench_interrupts(struct suite_table *t, const struct suite_options *o)
{
	t->title =
		"instructions with interrupts masked: a submit of n commands, of which it is all "
		"but some ten; longer ones go in pieces";
	t->x = "commands";
	helper_rows(&count, t, o);
}

void bench_instructions(struct suite_table *t, const struct suite_options *o)
{
	t->unit = "instructions";
	t->title = "instructions of the library, counted by callgrind, beside a plain list and the "
		   "least possible";
	helper_rows(&count, t, o);
}
