/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 run`: bring SMMUs up, let everything happen at the same time, judge every DMA. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "report_print.h"
#include "workload.h"

int cmd_run(int argc, char **argv)
{
	struct options o;
	struct machine *m;
	struct report r = {0};
	struct machine_config cfg = {0};
	int rc = options_parse(&o, CMD_RUN, argc, argv);

	if (rc)
		return rc;
	if (o.help) {
		fputs(help_of("run"), stdout);
		return 0;
	}
	m = malloc(sizeof(*m));
	if (!m)
		return 2;
	cfg.data_bytes = workload_data_bytes(&o.lab);
	cfg.domains = o.lab.domains;
	rc = machine_open(m, &o.lab, &cfg);
	if (rc) {
		free(m);
		return rc;
	}
	rc = machine_attach_all(m) ? 2 : workload_run(m, &r);
	if (machine_gone(m))
		rc = 2;
	machine_close(m, &r);
	free(m);
	if (rc)
		return rc;
	if (!o.json || strcmp(o.json, "-"))
		report_print(stdout, &r, &o.lab);
	if (o.json)
		rc = report_write_json(o.json, "run", report_json(&r, &o.lab));
	return rc ? rc : r.violations ? 1 : 0;
}
