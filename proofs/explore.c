/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exhaustive explorer of small programs of a few threads, under two memory models: x86 (TSO) and an Arm-like one, in
 * which each thread performs its accesses in any order that nothing keeps, on one memory that all see (the architecture is
 * other-multi-copy atomic since version 8). A file asks for an outcome that must never be; each barrier in it has the name
 * that it has in the library, and with any single one left out the Arm-like model has to reach that outcome.
 *
 * usage: explore FILE…     Exit status: 0 all is as it must be, 1 something is not (printed), 2 a file cannot be read.
 *
 *   init X=V …             values at the start; all else is 0
 *   thread NAME            the lines up to the next thread are its program
 *     st X V               store;  st.rel: after all accesses before it
 *     ld R X               load;   ld.acq: before all after it;  ld.sc: not before a release or an rmw before it, either
 *                          ld.dep: its address comes from the load before it
 *     add R X V            read-modify-write, as a pair of exclusive instructions: acquires with its load, releases with
 *                          its store, and what comes after may come in between
 *     mb | wmb | rmb       all before all | stores before stores | loads before loads
 *     if R=V INSTRUCTION   only if; waits for R
 *   … # NAME               the barrier's name
 *   never T.R=V …          the outcome; a plain X=V is memory at the end
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define OPS 16
#define NAMES 16
#define TABLE (1u << 20)

enum kind { ST, LD, RMW, MB, WMB, RMB };

struct op {
	enum kind kind;
	bool rel, acq, sc, dep, conditional;
	uint8_t at, value, reg, if_reg, if_value;
	char name[40];
};

struct wanted {
	int thread; /* -1: memory */
	uint8_t index, value;
};

static struct {
	char thread[THREADS][24], location[NAMES][24], reg[THREADS][NAMES][8];
	struct op op[THREADS][OPS];
	unsigned threads, ops[THREADS], locations, regs[THREADS], wants;
	uint8_t init[NAMES];
	struct wanted want[NAMES];
} p;

struct state {
	uint8_t mem[NAMES], lock[NAMES]; /* lock: 1 + thread between the halves of its rmw */
	uint8_t reg[THREADS][NAMES], done[THREADS][OPS]; /* 2; of an rmw 1 after its load */
};

static struct state *seen;
static uint8_t *used;
static unsigned states;
static bool tso, reached;

static uint8_t name_of(char (*table)[24], unsigned *n, const char *name)
{
	unsigned i;

	for (i = 0; i < *n; i++) {
		if (!strcmp(table[i], name))
			return (uint8_t)i;
	}
	snprintf(table[(*n)++], 24, "%s", name);
	return (uint8_t)i;
}

static uint8_t reg_of(unsigned t, const char *name)
{
	unsigned i;

	for (i = 0; i < p.regs[t]; i++) {
		if (!strcmp(p.reg[t][i], name))
			return (uint8_t)i;
	}
	snprintf(p.reg[t][p.regs[t]++], 8, "%s", name);
	return (uint8_t)i;
}

/* ---- what may be performed ---- */

static bool is_load(const struct op *o)
{
	return o->kind == LD || o->kind == RMW;
}

static bool is_store(const struct op *o)
{
	return o->kind == ST || o->kind == RMW;
}

static bool is_access(const struct op *o)
{
	return o->kind == ST || o->kind == LD || o->kind == RMW;
}

/* Does @i, at stage @stage and earlier in the program, keep the next half of @j back? @store: that half is a store. */
static bool keeps(const struct op *i, uint8_t stage, const struct op *j, bool store)
{
	bool load = is_load(j) && !store;

	if (i->kind == MB || j->kind == MB)
		return true;
	if (i->kind == WMB)
		return store || tso;
	if (j->kind == WMB)
		return is_store(i) || tso;
	if (i->kind == RMB)
		return load || tso;
	if (j->kind == RMB)
		return (is_load(i) && stage == 0) || tso;
	if (i->at == j->at)
		return true;
	if (tso)
		return !(i->kind == ST && load && j->kind == LD);
	if (is_load(i) && stage == 0 && i->acq)
		return true;
	if (store && j->rel)
		return true;
	return i->rel && j->sc && load;
}

static bool ready(const struct state *s, unsigned t, unsigned k)
{
	const struct op *o = &p.op[t][k];
	bool store = o->kind == ST || (o->kind == RMW && s->done[t][k] == 1);
	int before = -1;
	unsigned i;

	if (s->done[t][k] == 2)
		return false;
	for (i = 0; i < k; i++) {
		const struct op *e = &p.op[t][i];

		if (is_load(e))
			before = (int)i;
		if (o->conditional && is_load(e) && e->reg == o->if_reg && !s->done[t][i])
			return false;
		if (s->done[t][i] != 2 && keeps(e, s->done[t][i], o, store))
			return false;
	}
	if (o->dep && before >= 0 && !s->done[t][before])
		return false;
	if (is_access(o) && is_store(o) && s->lock[o->at] && s->lock[o->at] != t + 1)
		return false;
	return true;
}

static void perform(struct state *s, unsigned t, unsigned k)
{
	const struct op *o = &p.op[t][k];

	if (o->conditional && !s->done[t][k] && s->reg[t][o->if_reg] != o->if_value) {
		s->done[t][k] = 2;
		return;
	}
	if (o->kind == RMW && !s->done[t][k]) {
		s->reg[t][o->reg] = s->mem[o->at];
		s->lock[o->at] = (uint8_t)(t + 1);
		s->done[t][k] = 1;
		return;
	}
	if (o->kind == RMW) {
		s->mem[o->at] = (uint8_t)(s->mem[o->at] + o->value);
		s->lock[o->at] = 0;
	} else if (o->kind == ST) {
		s->mem[o->at] = o->value;
	} else if (o->kind == LD) {
		s->reg[t][o->reg] = s->mem[o->at];
	}
	s->done[t][k] = 2;
}

static bool new_state(const struct state *s)
{
	const uint8_t *b = (const uint8_t *)s;
	uint64_t h = 1469598103934665603u;
	size_t i;

	for (i = 0; i < sizeof(*s); i++)
		h = (h ^ b[i]) * 1099511628211u;
	for (i = h % TABLE; used[i]; i = (i + 1) % TABLE) {
		if (!memcmp(&seen[i], s, sizeof(*s)))
			return false;
	}
	if (++states > TABLE / 2) {
		fprintf(stderr, "explore: too many states\n");
		exit(2);
	}
	used[i] = 1;
	seen[i] = *s;
	return true;
}

static bool outcome(const struct state *s)
{
	unsigned i;

	for (i = 0; i < p.wants; i++) {
		const struct wanted *w = &p.want[i];
		uint8_t is = w->thread < 0 ? s->mem[w->index] : s->reg[w->thread][w->index];

		if (is != w->value)
			return false;
	}
	return true;
}

static bool possible(bool x86)
{
	static struct state stack[1 << 16];
	unsigned n = 0, t, k;

	memset(used, 0, TABLE);
	memset(&stack[0], 0, sizeof(stack[0]));
	memcpy(stack[0].mem, p.init, sizeof(p.init));
	states = 0;
	tso = x86;
	reached = false;
	n = 1;
	while (n && !reached) {
		struct state s = stack[--n];
		bool end = true;

		if (!new_state(&s))
			continue;
		for (t = 0; t < p.threads; t++) {
			for (k = 0; k < p.ops[t]; k++) {
				end &= s.done[t][k] == 2;
				if (ready(&s, t, k) && n < sizeof(stack) / sizeof(stack[0])) {
					stack[n] = s;
					perform(&stack[n++], t, k);
				}
			}
		}
		reached = end && outcome(&s);
	}
	return reached;
}

/* ---- files ---- */

static bool parse_op(unsigned t, char *text)
{
	struct op *o = &p.op[t][p.ops[t]];
	char word[5][24] = {{0}}, *hash = strchr(text, '#');
	unsigned v;

	*o = (struct op){0};
	if (hash) {
		sscanf(hash + 1, " %39s", o->name);
		*hash = 0;
	}
	if (sscanf(text, " if %7[a-z0-9]=%u", word[0], &v) == 2) {
		o->conditional = true;
		o->if_reg = reg_of(t, word[0]);
		o->if_value = (uint8_t)v;
		text = strchr(strchr(text, '='), ' ');
		if (!text)
			return false;
	}
	if (sscanf(text, " %23s %23s %23s %23s", word[0], word[1], word[2], word[3]) < 1)
		return true;
	if (!strncmp(word[0], "st", 2)) {
		o->kind = ST;
		o->rel = !strcmp(word[0], "st.rel");
		o->at = name_of(p.location, &p.locations, word[1]);
		o->value = (uint8_t)atoi(word[2]);
	} else if (!strncmp(word[0], "ld", 2)) {
		o->kind = LD;
		o->sc = !strcmp(word[0], "ld.sc");
		o->acq = o->sc || !strcmp(word[0], "ld.acq");
		o->dep = !strcmp(word[0], "ld.dep");
		o->reg = reg_of(t, word[1]);
		o->at = name_of(p.location, &p.locations, word[2]);
	} else if (!strcmp(word[0], "add")) {
		o->kind = RMW;
		o->rel = o->acq = true;
		o->reg = reg_of(t, word[1]);
		o->at = name_of(p.location, &p.locations, word[2]);
		o->value = (uint8_t)atoi(word[3]);
	} else if (!strcmp(word[0], "mb")) {
		o->kind = MB;
	} else if (!strcmp(word[0], "wmb")) {
		o->kind = WMB;
	} else if (!strcmp(word[0], "rmb")) {
		o->kind = RMB;
	} else {
		return false;
	}
	p.ops[t]++;
	return true;
}

static bool parse_never(char *text)
{
	char *word;

	for (word = strtok(text, " \n"); word; word = strtok(NULL, " \n")) {
		struct wanted *w = &p.want[p.wants++];
		char a[24] = "", b[24] = "";
		unsigned v, t;

		if (sscanf(word, "%23[a-z0-9_].%23[a-z0-9_]=%u", a, b, &v) == 3) {
			for (t = 0; t < p.threads && strcmp(p.thread[t], a); t++)
				;
			if (t == p.threads)
				return false;
			w->thread = (int)t;
			w->index = reg_of(t, b);
		} else if (sscanf(word, "%23[a-z0-9_]=%u", a, &v) == 2) {
			w->thread = -1;
			w->index = name_of(p.location, &p.locations, a);
		} else {
			return false;
		}
		w->value = (uint8_t)v;
	}
	return true;
}

static bool parse(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[200], *word;
	bool ok = f != NULL;

	memset(&p, 0, sizeof(p));
	while (ok && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "init ", 5)) {
			for (word = strtok(line + 5, " \n"); word; word = strtok(NULL, " \n")) {
				char a[24];
				unsigned v;

				if (sscanf(word, "%23[a-z0-9_]=%u", a, &v) == 2)
					p.init[name_of(p.location, &p.locations, a)] = (uint8_t)v;
			}
		} else if (!strncmp(line, "thread ", 7)) {
			ok = p.threads < THREADS &&
			     sscanf(line + 7, "%23s", p.thread[p.threads++]) == 1;
		} else if (!strncmp(line, "never ", 6)) {
			ok = parse_never(line + 6);
		} else if (line[0] == ' ' || line[0] == '\t') {
			ok = p.threads && p.ops[p.threads - 1] < OPS &&
			     parse_op(p.threads - 1, line);
		}
	}
	if (f)
		fclose(f);
	return ok && p.wants;
}

/* Leave every operation called @name weaker, or put them back. */
static void weaken(const char *name, const struct op (*whole)[OPS])
{
	unsigned t, k;

	memcpy(p.op, whole, sizeof(p.op));
	for (t = 0; name && t < p.threads; t++) {
		for (k = 0; k < p.ops[t]; k++) {
			struct op *o = &p.op[t][k];

			if (strcmp(o->name, name))
				continue;
			if (is_access(o)) {
				o->rel = o->acq = o->sc = o->dep = false;
			} else {
				/* A write barrier with nothing around it to keep. */
				o->kind = ST;
				o->at = NAMES - 1;
			}
		}
	}
}

static bool check(const char *path)
{
	struct op whole[THREADS][OPS];
	bool ok;
	unsigned t, k;

	memcpy(whole, p.op, sizeof(whole));
	ok = !possible(true) && !possible(false);
	printf("%s: %s: never\n", ok ? "ok" : "FAILED", path);
	for (t = 0; t < p.threads; t++) {
		for (k = 0; k < p.ops[t]; k++) {
			bool shows;

			if (!whole[t][k].name[0])
				continue;
			weaken(whole[t][k].name, whole);
			shows = possible(false);
			weaken(NULL, whole);
			printf("%s: %s without %s: %s\n", shows ? "ok" : "FAILED", path,
			       whole[t][k].name, shows ? "sometimes" : "never");
			ok &= shows;
		}
	}
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = true;
	int i;

	seen = calloc(TABLE, sizeof(*seen));
	used = calloc(TABLE, 1);
	if (!seen || !used || argc < 2)
		return 2;
	for (i = 1; i < argc; i++) {
		if (!parse(argv[i])) {
			fprintf(stderr, "explore: %s cannot be read\n", argv[i]);
			return 2;
		}
		ok &= check(argv[i]);
	}
	free(seen);
	free(used);
	return ok ? 0 : 1;
}
