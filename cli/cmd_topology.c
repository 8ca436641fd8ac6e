/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 topology`: read or make up a topology and show it. */
#include "cmd_topology.h"

#include <errno.h>
#include <string.h>

#include "commands.h"
#include "load_topology.h"
#include "report_print.h"

#define EXIT_BAD 2

static bool is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

/* A picture, where one was asked for. */
static int draw(const char *option, const char *path, const char *title,
		const struct smmu_topology *t,
		int (*write)(const char *path, const char *title, const struct smmu_topology *t))
{
	if (!path || !write(path, title, t))
		return 0;
	fprintf(stderr, "smmuv3 topology: --%s %s: %s; expected a place to write to\n", option,
		path, strerror(errno ? errno : EIO));
	return EXIT_BAD;
}

static int show(const struct options *o, const struct smmu_topology *t)
{
	const char *title = o->iort ? o->iort : o->dtb ? o->dtb : "made up";
	int rc;

	/* Standard output is for one of them. */
	if (!is_stdout(o->json) && !is_stdout(o->svg) && !is_stdout(o->dot)) {
		smmu_topology_print(stdout, is_stdout(title) ? "standard input" : title, t);
		if (fflush(stdout) || ferror(stdout)) {
			fprintf(stderr, "smmuv3 topology: standard output: %s\n", strerror(errno));
			return EXIT_BAD;
		}
	}
	rc = draw("svg", o->svg, title, t, smmu_topology_svg);
	if (!rc)
		rc = draw("dot", o->dot, title, t, smmu_topology_dot);
	if (!rc && o->json)
		rc = report_write_json(o->json, "topology", smmu_topology_json(t));
	return rc;
}

int smmu_cli_topology(int argc, char **argv)
{
	struct smmu_topology t = {0};
	struct options o;
	int rc = options_parse(&o, CMD_TOPOLOGY, argc, argv, 0);

	if (rc)
		return rc;
	if (o.help) {
		help_print(stdout, "topology");
		return 0;
	}
	if (o.iort || o.dtb) {
		rc = load_topology(&o, &t);
	} else if (smmu_topology_synthetic(o.lab.smmus, o.lab.devices, &t)) {
		fprintf(stderr, "smmuv3 topology: out of memory\n");
		rc = EXIT_BAD;
	}
	if (!rc)
		rc = show(&o, &t);
	smmu_topology_free(&t);
	return rc;
}
