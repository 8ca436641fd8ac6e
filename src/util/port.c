/* SPDX-License-Identifier: BSD-2-Clause */
/* The symbol that whoever is compiled with the same port header asks for: see port.h. */
#include <smmuv3/port.h>

__attribute__((used)) const char SMMU_PORT_SYMBOL = 0;
