/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands.h"
int cmd_replay(int argc, char **argv)
{
	return 2;
}
