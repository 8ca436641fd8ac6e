/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 run`: bring SMMUs up, let everything happen at the same time, judge every DMA. */
#include "commands.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load_topology.h"
#include "report_print.h"
#include "workload.h"

static int interrupted;

static void on_signal(int sig)
{
	/* timeout(1) sends each signal twice. */
	if (__atomic_add_fetch(&interrupted, 1, __ATOMIC_RELAXED) > 2)
		_exit(128 + sig);
}

/* Ctrl-C or SIGTERM ends the run and lets it report; the third ends the program. */
static void catch_signals(void)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&act.sa_mask);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

static int run(struct options *o, const struct smmu_topology *t)
{
	struct machine_config cfg = {.data_bytes = workload_data_bytes(&o->lab),
				     .domains = o->lab.domains,
				     .visitors = o->lab.threads + o->lab.interrupts,
				     .few_ids = true,
				     .guest_substreams = true};
	struct machine *m = malloc(sizeof(*m));
	struct report r = {0};
	struct json_object *top;
	int rc;

	if (!m)
		return 2;
	o->lab.interrupted = &interrupted;
	catch_signals();
	rc = machine_open(m, &o->lab, &cfg);
	if (rc) {
		free(m);
		return rc;
	}
	rc = !o->lab.adopt && machine_attach_all(m) ? 2 : workload_run(m, &r);
	if (machine_gone(m))
		rc = 2;
	else if (o->dump)
		machine_dump(m);
	machine_close(m, &r);
	free(m);
	if (rc)
		return rc;
	if (!o->json || strcmp(o->json, "-"))
		report_print(stdout, &r, &o->lab);
	if (o->json) {
		top = report_json(&r, &o->lab);
		if (top)
			topology_warnings_json(top, t);
		rc = report_write_json(o->json, "run", top);
	}
	return rc ? rc : report_status(&r, &o->lab);
}

int cmd_run(int argc, char **argv)
{
	struct smmu_topology t;
	struct options o;
	int rc = options_parse(&o, CMD_RUN, argc, argv, 0);

	if (rc)
		return rc;
	if (o.help) {
		help_print(stdout, "run");
		return 0;
	}
	rc = load_topology(&o, &t);
	if (!rc)
		rc = run(&o, &t);
	smmu_topology_free(&t);
	return rc;
}
