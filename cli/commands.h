/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file commands.h
 * The commands that work on a machine. argv[0] is the command's name; each returns the exit status of the program:
 * 0 nothing stale and nothing lost, 1 a violation, 2 bad usage or bad input, reported on standard error.
 */
#ifndef SMMU_CLI_COMMANDS_H
#define SMMU_CLI_COMMANDS_H

#include <stdio.h>

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_arrays(int argc, char **argv);
int cmd_bench(int argc, char **argv);

/** What `smmuv3 NAME --help` prints. */
void help_print(FILE *out, const char *name);

#endif
