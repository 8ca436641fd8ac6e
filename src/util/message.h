/* SPDX-License-Identifier: BSD-2-Clause */
/* One line for a person, put together on the stack: who, what, and the level it is logged at. */
#ifndef SMMU_SRC_UTIL_MESSAGE_H
#define SMMU_SRC_UTIL_MESSAGE_H

#include <smmuv3/port.h>
#include <smmuv3/text.h>

struct smmu_message {
	struct smmu_text text;
	char buf[240];
};

/** Begin the line with @p who; go on with the returned text. What does not fit is dropped. */
static inline struct smmu_text *smmu_message_begin(struct smmu_message *m, const char *who)
{
	smmu_text_init(&m->text, m->buf, sizeof(m->buf));
	smmu_text_str(&m->text, who);
	smmu_text_str(&m->text, ": ");
	return &m->text;
}

static inline void smmu_message_log(const struct smmu_message *m, const struct smmu_port *port,
				    enum smmu_log_level level)
{
	smmu_port_log(port, level, m->buf);
}

#endif
