/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an SMMU can put out an address that the port gave. IHI 0070 G.b, 3.4.3. */
#include "driver.h"

int smmu_instance_reaches(const struct smmu_instance *inst, const char *what, uint64_t bus,
			  uint64_t size)
{
	uint64_t last = SMMU_MASK(inst->features.oas - 1, 0);
	struct smmu_message m;

	if (bus <= last && size - 1 <= last - bus)
		return 0;
	smmu_text_str(smmu_message_begin(&m, inst->name), "bus address ");
	smmu_text_hex(&m.text, bus, 1);
	smmu_text_str(&m.text, " of ");
	smmu_text_str(&m.text, what);
	smmu_text_str(&m.text, " is beyond the SMMU's output addresses of ");
	smmu_text_dec(&m.text, inst->features.oas);
	smmu_text_str(&m.text, " bits (IDR5.OAS)");
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
	return -SMMU_ERANGE;
}
