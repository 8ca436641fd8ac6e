/* SPDX-License-Identifier: BSD-2-Clause */
/* smmuv3: the command. */
#include <stdio.h>
#include <string.h>

#include <smmuv3/version.h>

#include "cmd_decode.h"
#include "cmd_topology.h"
#include "commands.h"
#include "output.h"

static const char usage[] =
	"usage: smmuv3 COMMAND [options]\n"
	"\n"
	"Try the SMMUv3 driver libsmmuv3, judge a topology, replay a workload, compare designs, "
	"and\n"
	"decode what is in a dump.\n"
	"\n"
	"  run        bring SMMUs up, let map, unmap, DMA, attach, detach and removal happen at "
	"the\n"
	"             same time, and judge every DMA\n"
	"  replay     the same with the map and unmap calls of a trace of a real machine\n"
	"  bench      measure the designs beside each other, and the parts that they rest on\n"
	"  topology   what firmware tables describe: SMMUs, root complexes, which stream reaches\n"
	"             which SMMU\n"
	"  arrays     the array of invalidation operations of each domain\n"
	"  decode     what the words of a command, STE, CD, event or register mean\n"
	"\n"
	"smmuv3 COMMAND --help explains a command; smmuv3 --version tells the version.\n"
	"A good start: smmuv3 run\n";

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"run", cmd_run},
	{"replay", cmd_replay},
	{"topology", smmu_cli_topology},
	{"decode", smmu_cli_decode},
	{"arrays", cmd_arrays},
	{"bench", cmd_bench},
};

static int dispatch(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[0], commands[i].name))
			return output_finish(commands[i].main(argc, argv));
	}
	fprintf(stderr,
		"smmuv3: there is no command \"%s\"; expected run, replay, bench, topology, "
		"arrays or decode\n(smmuv3 --help explains them)\n",
		argv[0]);
	return 2;
}

int main(int argc, char **argv)
{
	static char help[] = "--help";

	if (argc < 2) {
		fputs(usage, stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("smmuv3 %s\n", SMMU_VERSION_TEXT);
		return output_finish(0);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return output_finish(0);
	}
	if (!strcmp(argv[1], "help")) {
		char *sub[] = {argc > 2 ? argv[2] : NULL, help, NULL};

		if (argc > 2)
			return dispatch(2, sub);
		fputs(usage, stdout);
		return output_finish(0);
	}
	return dispatch(argc - 1, argv + 1);
}
