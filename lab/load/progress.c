/* SPDX-License-Identifier: BSD-2-Clause */
/* The progress line. It goes by the real clock and never into what a run prints. */
#include "progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t shown_at; /* tenths of a second; 0: nothing is shown */

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 10 + t.tv_nsec / 100000000;
}

void progress_show(const char *who, const char *units, uint64_t done, uint64_t total)
{
	static int terminal = -1;
	int64_t before, at;

	if (__atomic_load_n(&terminal, __ATOMIC_RELAXED) < 0)
		__atomic_store_n(&terminal, isatty(STDERR_FILENO), __ATOMIC_RELAXED);
	if (!__atomic_load_n(&terminal, __ATOMIC_RELAXED))
		return;
	at = now();
	before = __atomic_load_n(&shown_at, __ATOMIC_RELAXED);
	if (at < before + 2 || !__atomic_compare_exchange_n(&shown_at, &before, at, false,
							    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	if (total == UINT64_MAX)
		fprintf(stderr, "\r%s: %" PRIu64 " %s ", who, done, units);
	else
		fprintf(stderr, "\r%s: %3" PRIu64 "%% of %" PRIu64 " %s ", who,
			done * 100 / (total ? total : 1), total, units);
	fflush(stderr);
}

void progress_done(void)
{
	if (__atomic_exchange_n(&shown_at, 0, __ATOMIC_RELAXED))
		fprintf(stderr, "\r%*s\r", 78, "");
}
