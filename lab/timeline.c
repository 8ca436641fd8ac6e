/* SPDX-License-Identifier: BSD-2-Clause */
/* Events are kept until the end, and written in the order in which they were noted, which a reader of the format may expect of nobody. */
#include "timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smmuv3/hw/cmd.h>

#include "model.h"
#include "sim.h"

#define EVENTS_MAX (1u << 20)
#define BATCHES_MAX 1024u
#define FIBERS_MAX 256u
#define NEVER UINT64_MAX

enum track { CALL, COMMAND, BATCH, ATC };

struct event {
	uint64_t from, to;
	const char *name;
	uint32_t where; /* fiber, or SMMU */
	uint32_t what;  /* SMMU of a submit, stream of an ATC_INV */
	uint8_t track;
	bool has_what;
};

/* Where a fiber is. */
struct fiber_state {
	const char *call; /* NULL: in none */
	uint64_t since, waits_since;
	bool waits, seen;
};

/* Batches of an SMMU that are published and not complete. */
struct open_batches {
	struct {
		uint64_t since, last_sync;
	} batch[BATCHES_MAX];
	uint64_t first, next;    /* in batch[], modulo its size */
	uint64_t synced, issued; /* CMD_SYNCs */
};

struct timeline {
	struct sim *sim;
	unsigned smmus;
	struct event *event;
	uint32_t events, dropped;
	struct fiber_state fiber[FIBERS_MAX];
	struct open_batches *open;
};

struct timeline *timeline_create(struct sim *sim, unsigned smmus)
{
	struct timeline *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->sim = sim;
	t->smmus = smmus;
	t->event = calloc(EVENTS_MAX, sizeof(*t->event));
	t->open = calloc(smmus, sizeof(*t->open));
	if (t->event && t->open)
		return t;
	timeline_destroy(t);
	return NULL;
}

void timeline_destroy(struct timeline *t)
{
	if (!t)
		return;
	free(t->event);
	free(t->open);
	free(t);
}

static struct event *add(struct timeline *t, enum track track, const char *name, uint32_t where,
			 uint64_t from, uint64_t to)
{
	static struct event nowhere;
	struct event *e = &nowhere;

	if (t->events < EVENTS_MAX)
		e = &t->event[t->events++];
	else
		t->dropped++;
	*e = (struct event){.from = from, .to = to, .name = name, .where = where, .track = track};
	return e;
}

/* ---- fibers ---- */

/* The running one, if it is inside a call; NULL. */
static struct fiber_state *running(struct timeline *t, uint32_t *id)
{
	int self = sim_self(t->sim);

	*id = (uint32_t)self;
	return self >= 0 && (unsigned)self < FIBERS_MAX ? &t->fiber[self] : NULL;
}

static void stop_waiting(struct timeline *t, struct fiber_state *f, uint32_t id, uint64_t now)
{
	if (f->waits)
		add(t, CALL, "wait", id, f->waits_since, now);
	f->waits = false;
}

void timeline_begin(struct timeline *t, const char *call)
{
	struct fiber_state *f;
	uint32_t id;

	if (!t)
		return;
	f = running(t, &id);
	if (!f)
		return;
	*f = (struct fiber_state){.call = call, .since = sim_now(t->sim), .seen = true};
}

void timeline_end(struct timeline *t)
{
	struct fiber_state *f;
	uint32_t id;

	if (!t)
		return;
	f = running(t, &id);
	if (!f || !f->call)
		return;
	stop_waiting(t, f, id, sim_now(t->sim));
	add(t, CALL, f->call, id, f->since, sim_now(t->sim));
	f->call = NULL;
}

void timeline_publish(struct timeline *t, unsigned smmu, uint64_t since, uint32_t syncs)
{
	struct open_batches *o = &t->open[smmu];
	struct fiber_state *f;
	struct event *e;
	uint32_t id;

	f = running(t, &id);
	if (f && f->call) {
		stop_waiting(t, f, id, since);
		e = add(t, CALL, "submit", id, since, sim_now(t->sim));
		e->what = smmu;
		e->has_what = true;
	}
	o->issued += syncs;
	if (o->next - o->first == BATCHES_MAX || !syncs)
		return;
	o->batch[o->next % BATCHES_MAX].since = sim_now(t->sim);
	o->batch[o->next++ % BATCHES_MAX].last_sync = o->issued;
}

void timeline_wait(struct timeline *t)
{
	struct fiber_state *f;
	uint32_t id;

	if (!t)
		return;
	f = running(t, &id);
	if (!f || !f->call || f->waits)
		return;
	f->waits = true;
	f->waits_since = sim_now(t->sim);
}

/* ---- SMMUs ---- */

static void complete(struct timeline *t, unsigned smmu, uint64_t now)
{
	struct open_batches *o = &t->open[smmu];

	o->synced++;
	while (o->first < o->next && o->batch[o->first % BATCHES_MAX].last_sync <= o->synced)
		add(t, BATCH, "batch", smmu, o->batch[o->first++ % BATCHES_MAX].since, now);
}

void timeline_command(struct timeline *t, unsigned smmu, const uint64_t cmd[2], uint64_t from,
		      uint64_t to, uint64_t until)
{
	unsigned op = (unsigned)(cmd[0] & SMMU_CMD_W0_OP);
	const char *name = smmu_model_command_name(op);
	struct event *e;

	if (smmu >= t->smmus)
		return;
	add(t, COMMAND, name ? name : "command", smmu, from, to);
	if (op == SMMU_CMD_SYNC)
		complete(t, smmu, to);
	if (op != SMMU_CMD_ATC_INV || until == NEVER)
		return;
	e = add(t, ATC, "ATC_INV", smmu, to, until);
	e->what = (uint32_t)(cmd[0] >> 32);
	e->has_what = true;
}

/* ---- writing ---- */

#define WORKERS_PID 1u
#define SMMU_PID 100u

static void put_time(FILE *out, const char *name, uint64_t ns)
{
	fprintf(out, ",\"%s\":%" PRIu64 ".%03u", name, ns / 1000, (unsigned)(ns % 1000));
}

static void put_args(FILE *out, const struct event *e)
{
	if (e->has_what)
		fprintf(out, ",\"args\":{\"%s\":%u}", e->track == ATC ? "stream" : "smmu", e->what);
}

static void put_pair(FILE *out, const struct event *e, uint32_t id)
{
	for (unsigned end = 0; end < 2; end++) {
		fprintf(out,
			",\n{\"ph\":\"%s\",\"cat\":\"%s\",\"id\":%u,\"name\":\"%s\",\"pid\":%u,"
			"\"tid\":%u",
			end ? "e" : "b", e->track == ATC ? "atc" : "batch", id, e->name,
			SMMU_PID + e->where, e->track == ATC ? 3u : 2u);
		put_time(out, "ts", end ? e->to : e->from);
		put_args(out, e);
		fprintf(out, "}");
	}
}

static void put_span(FILE *out, const struct event *e)
{
	fprintf(out, ",\n{\"ph\":\"X\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u", e->name,
		e->track == CALL ? WORKERS_PID : SMMU_PID + e->where,
		e->track == CALL ? e->where + 1 : 1);
	put_time(out, "ts", e->from);
	put_time(out, "dur", e->to - e->from);
	put_args(out, e);
	fprintf(out, "}");
}

static void put_name(FILE *out, const char *kind, unsigned pid, unsigned tid, const char *name,
		     unsigned n)
{
	fprintf(out,
		",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":\"%s",
		kind, pid, tid, name);
	if (n != UINT32_MAX)
		fprintf(out, " %u", n);
	fprintf(out, "\"}}");
}

int timeline_write(const struct timeline *t, const char *path)
{
	FILE *out = strcmp(path, "-") != 0 ? fopen(path, "w") : stdout;
	bool bad;

	if (!out)
		return -1;
	fprintf(out,
		"{\"displayTimeUnit\":\"ns\",\"otherData\":{\"clock\":\"virtual\",\"dropped\":%u},"
		"\n\"traceEvents\":[\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%u,\"tid\":0,"
		"\"args\":{\"name\":\"workers\"}}",
		t->dropped, WORKERS_PID);
	for (unsigned i = 0; i < FIBERS_MAX; i++)
		if (t->fiber[i].seen)
			put_name(out, "thread_name", WORKERS_PID, i + 1, "worker", i);
	for (unsigned i = 0; i < t->smmus; i++) {
		put_name(out, "process_name", SMMU_PID + i, 0, "SMMU", i);
		put_name(out, "thread_name", SMMU_PID + i, 1, "commands", UINT32_MAX);
		put_name(out, "thread_name", SMMU_PID + i, 2, "batches", UINT32_MAX);
		put_name(out, "thread_name", SMMU_PID + i, 3, "ATCs", UINT32_MAX);
	}
	for (uint32_t i = 0; i < t->events; i++) {
		if (t->event[i].track == BATCH || t->event[i].track == ATC)
			put_pair(out, &t->event[i], i);
		else
			put_span(out, &t->event[i]);
	}
	fprintf(out, "\n]}\n");
	errno = 0;
	bad = ferror(out) != 0;
	bad = (out == stdout ? fflush(out) : fclose(out)) != 0 || bad;
	if (bad && !errno)
		errno = EIO;
	return bad ? -1 : 0;
}
