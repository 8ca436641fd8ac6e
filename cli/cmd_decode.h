/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file cmd_decode.h
 * `smmuv3 decode`: structures of an SMMUv3, given in hexadecimal, in words.
 */
#ifndef SMMUV3_CLI_CMD_DECODE_H
#define SMMUV3_CLI_CMD_DECODE_H

/**
 * Run the subcommand. @p argv[0] is "decode". Returns the exit status: 0, or 2 for bad usage or bad input, which
 * has been reported on standard error.
 */
int smmu_cli_decode(int argc, char **argv);

#endif
