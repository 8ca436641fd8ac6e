/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Differential runs: many random sequences on the model and on QEMU's SMMUv3.
 *
 *   diff_qemu [-n SEQUENCES] [-l STEPS] [-s SEED] [-v] [-t QEMU-TRACE]
 *
 * With -s or SMMU_TEST_SEED one sequence (or -n from there on) is repeated. SMMU_DIFF_SEQUENCES is another way to say -n.
 * (A seed means the same sequence to the builds of one compiler: the order in which arguments are drawn is its own.)
 * A sequence that differs is made as short as it gets and printed step by step. Status 0: all agree; 1: not; 77: no QEMU.
 */
#include "diff.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define STEPS_MAX 1000u
#define SHRINK_RUNS 400u

struct step {
	uint8_t op;
	uint64_t seed;
};

static const struct {
	void (*run)(struct world *w);
	unsigned weight;
} ops[] = {
	{step_domain, 2},  {step_device, 3}, {step_attach, 8},  {step_map, 12},
	{step_access, 30}, {step_unmap, 9},  {step_flush, 1},   {step_detach, 2},
	{step_leaf, 10},   {step_table, 4},  {step_command, 4}, {step_ste, 5},
	{step_cd, 4},      {step_nest, 4},   {step_parent, 3},  {step_instance, 1},
};

static struct side sides[SIDES];

/** The first steps build something, so that the rest has something to break. */
static void generate(struct step *steps, unsigned n, uint64_t seed)
{
	struct smmu_random rng;
	unsigned total = 0, k, op;

	for (op = 0; op < SMMU_ARRAY_SIZE(ops); op++)
		total += ops[op].weight;
	smmu_random_seed(&rng, seed);
	for (k = 0; k < n; k++) {
		uint64_t at = smmu_random_below(&rng, total);

		for (op = 0; at >= ops[op].weight; op++)
			at -= ops[op].weight;
		if (k < 24)
			op = k / 6;
		steps[k] = (struct step){(uint8_t)op, smmu_random_next(&rng)};
	}
}

/** Run the steps of which @p keep is set (NULL: all). True if the sides agree. */
static bool run(struct world *w, const struct step *steps, const bool *keep, unsigned n,
		uint64_t seed)
{
	bool up = world_up(w, seed);

	for (unsigned k = 0; up && k < n && !w->differs; k++) {
		if (keep && !keep[k])
			continue;
		w->step = k;
		smmu_random_seed(&w->rng, steps[k].seed);
		ops[steps[k].op].run(w);
		w->tally.steps++;
	}
	w->step = n;
	if (!up)
		differ(w, "a sequence could not be set up");
	world_down(w);
	return !w->differs;
}

/** Drop steps as long as the rest still differs. */
static void shrink(struct world *w, const struct step *steps, bool *keep, unsigned n, uint64_t seed)
{
	char kind[8];
	unsigned runs = 0;

	snprintf(kind, sizeof(kind), "%.5s", w->why);
	for (unsigned chunk = n / 2; chunk; chunk /= 2) {
		for (unsigned at = 0; at < n && runs < SHRINK_RUNS; at += chunk) {
			bool saved[STEPS_MAX], any = false;

			memcpy(saved, keep, n * sizeof(*keep));
			for (unsigned k = at; k < at + chunk && k < n; k++) {
				any |= keep[k];
				keep[k] = false;
			}
			if (!any)
				continue;
			runs++;
			/* Another way to differ is not what we are after. */
			if (run(w, steps, keep, n, seed) || strncmp(w->why, kind, strlen(kind)))
				memcpy(keep, saved, n * sizeof(*keep));
			if (qemu_error(w->qemu))
				return;
		}
	}
}

static bool sequence(struct world *w, unsigned n, uint64_t seed, bool verbose)
{
	struct step steps[STEPS_MAX];
	bool keep[STEPS_MAX];
	unsigned left = 0;

	generate(steps, n, seed);
	w->trace = verbose ? stdout : NULL;
	if (run(w, steps, NULL, n, seed))
		return true;
	printf("SMMU_TEST_SEED=%llu: the sides differ: %s\n", (unsigned long long)seed, w->why);
	if (!qemu_error(w->qemu)) {
		w->trace = NULL;
		memset(keep, true, sizeof(keep));
		shrink(w, steps, keep, n, seed);
		for (unsigned k = 0; k < n; k++)
			left += keep[k];
		printf("the same in %u steps:\n", left);
		w->trace = stdout;
		if (run(w, steps, keep, n, seed))
			printf("(not this time)\n");
	}
	fflush(stdout);
	return false;
}

static void summary(const struct world *w, unsigned sequences, double seconds)
{
	const struct tally *t = &w->tally;

	printf("%u sequences, %llu steps in %.1f s: %llu driver calls, %llu commands (%llu "
	       "refused), "
	       "%llu DMAs: %llu landed, %llu refused\n",
	       sequences, (unsigned long long)t->steps, seconds, (unsigned long long)t->calls,
	       (unsigned long long)t->commands, (unsigned long long)t->cerrors,
	       (unsigned long long)t->dmas, (unsigned long long)t->landed,
	       (unsigned long long)t->refused);
	printf("%llu DMAs through both stages; stale as the architecture allows: model %llu, QEMU "
	       "%llu; known "
	       "differences: %llu\n",
	       (unsigned long long)t->nested, (unsigned long long)t->stale[MODEL],
	       (unsigned long long)t->stale[QEMU], (unsigned long long)t->known);
	for (unsigned type = 0; type < 256; type++)
		if (t->event[type])
			printf("%8llu %s\n", (unsigned long long)t->event[type],
			       smmu_event_name(type) ? smmu_event_name(type) : "?");
}

/** Many sequences that agree because they never get anywhere prove nothing. */
static bool got_around(const struct tally *t)
{
	static const uint8_t events[] = {SMMU_C_BAD_STREAMID, SMMU_C_BAD_STE,   SMMU_F_CD_FETCH,
					 SMMU_C_BAD_CD,       SMMU_F_WALK_EABT, SMMU_F_TRANSLATION,
					 SMMU_F_ADDR_SIZE,    SMMU_F_ACCESS,    SMMU_F_PERMISSION};
	bool ok = t->landed && t->nested && t->cerrors && t->stale[MODEL] && t->stale[QEMU];

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(events); i++)
		ok = ok && t->event[events[i]];
	if (!ok)
		printf("not everything that should happen did: see the figures above\n");
	return ok;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct qemu *open_qemu(const char *trace)
{
	struct qemu_config c = {.limit_s = 3600,
				.testdevs = TESTDEVS,
				.no_nvme = true,
				.pin = true,
				.trace = trace};
	char err[2048];
	struct qemu *q;
	int rc;

	if (getenv("NO_QEMU")) {
		fprintf(stderr, "skipped: NO_QEMU is set\n");
		exit(77);
	}
	rc = system(SMMU_FETCH_QEMU " >/dev/null");
	if (WIFEXITED(rc) && WEXITSTATUS(rc) == 77) {
		fprintf(stderr, "skipped: no QEMU, and none can be fetched\n");
		exit(77);
	}
	rc = qemu_open(&q, &c, err, sizeof(err));
	if (rc) {
		fprintf(stderr, "%s\n", err);
		exit(1);
	}
	return q;
}

int main(int argc, char **argv)
{
	const char *trace = NULL, *env = getenv("SMMU_TEST_SEED"),
		   *many = getenv("SMMU_DIFF_SEQUENCES");
	uint64_t seed = env ? strtoull(env, NULL, 0) : 1;
	unsigned n = many ? (unsigned)atoi(many) : env ? 1 : 100, steps = 100, done, bad = 0;
	bool verbose = false, counted = many != NULL;
	static struct world w;
	double start;
	int opt;

	while ((opt = getopt(argc, argv, "n:l:s:t:v")) >= 0) {
		switch (opt) {
		case 'n':
			n = (unsigned)atoi(optarg);
			counted = true;
			break;
		case 'l':
			steps = (unsigned)atoi(optarg);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			n = counted ? n : 1;
			break;
		case 't':
			trace = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (steps > STEPS_MAX)
		return 2;
	w.side = sides;
	w.qemu = open_qemu(trace);
	if (smmu_ram_create(&w.model_ram, qemu_ram(w.qemu)->base, qemu_ram(w.qemu)->size))
		return 1;
	printf("SMMU_TEST_SEED=%llu and %u from there\n", (unsigned long long)seed, n);
	start = now();
	for (done = 0; done < n && bad < 5 && !qemu_error(w.qemu); done++)
		bad += !sequence(&w, steps, seed + done, verbose);
	summary(&w, done, now() - start);
	if (done >= 100 && !bad && !got_around(&w.tally))
		bad++;
	if (qemu_error(w.qemu)) {
		fprintf(stderr, "%s\n", qemu_error(w.qemu));
		bad++;
	}
	qemu_close(w.qemu);
	smmu_ram_destroy(&w.model_ram);
	return bad ? 1 : 0;
}
