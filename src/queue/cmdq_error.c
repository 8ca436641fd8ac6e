/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command queue errors: IHI 0070, "Command queue errors". The SMMU stops at the command that CONS points to and makes
 * GERROR.CMDQ_ERR active; it goes on from there when the error is acknowledged in GERRORN.
 *
 *   CERROR_ILL           the command is not valid. What it was meant to be is not known here, so it is replaced by a
 *                        CMD_SYNC, and the batch it belongs to is told to come again as a whole.
 *   CERROR_ABT           reading it was aborted. It is tried again, a number of times.
 *   CERROR_ATC_INV_SYNC  the CMD_SYNC at CONS waited in vain for an ATC. The batch is told; it completes otherwise.
 */
#include <smmuv3/hw/print.h>
#include <smmuv3/hw/regs.h>

#include "cmdq.h"

static void tell(struct smmu_cmdq *q, uint64_t pos, uint32_t code, const struct smmu_cmd *cmd,
		 bool given_up)
{
	struct smmu_text t;
	char buf[256];

	smmu_text_init(&t, buf, sizeof(buf));
	smmu_text_str(&t, q->name);
	smmu_text_str(&t, ": command queue: ");
	switch (code) {
	case SMMU_CERROR_ILL:
		smmu_text_str(&t, "CERROR_ILL");
		break;
	case SMMU_CERROR_ABT:
		smmu_text_str(&t, "CERROR_ABT");
		break;
	case SMMU_CERROR_ATC_INV_SYNC:
		smmu_text_str(&t, "CERROR_ATC_INV_SYNC (an ATC does not answer)");
		break;
	default:
		smmu_text_str(&t, "unknown error ");
		smmu_text_dec(&t, code);
		break;
	}
	smmu_text_str(&t, " at CONS ");
	smmu_text_hex(&t, pos & (SMMU_BIT(q->log2size) * 2 - 1), 1);
	smmu_text_str(&t, ": ");
	smmu_print_cmd(&t, cmd);
	if (given_up)
		smmu_text_str(&t, ": the SMMU is given up until it is reset");
	smmu_port_log(q->port, given_up ? SMMU_LOG_ERROR : SMMU_LOG_WARN, buf);
}

static void remember(struct smmu_cmdq *q, uint64_t pos, uint32_t code)
{
	uint32_t n = q->errors;

	q->error[n % SMMU_CMDQ_ERRORS] = (struct smmu_cmdq_error){pos, code};
	/* Pairs with the load in smmu_cmdq_poll: seen before the completion that the acknowledge makes possible. */
	smmu_store_release(&q->errors, n + 1);
}

/** True if the queue fails at the same place again and again: it is given up. */
static bool too_many_aborts(struct smmu_cmdq *q, uint64_t pos)
{
	if (q->abort_pos != pos)
		q->aborts = 0;
	q->abort_pos = pos;
	return ++q->aborts >= ABORT_TRIES;
}

bool smmu_cmdq_serve_error(struct smmu_cmdq *q)
{
	uint32_t gerror, gerrorn, reg, code;
	struct smmu_cmd *cmd, seen;
	bool given_up = false;
	uint64_t pos;
	smmu_irqflags flags;

	if (!((smmu_mmio_read32(&q->mmio, SMMU_GERROR) ^ smmu_mmio_read32(&q->mmio, SMMU_GERRORN)) &
	      SMMU_GERROR_CMDQ_ERR))
		return false;
	flags = smmu_spin_lock(&q->error_lock);
	gerror = smmu_mmio_read32(&q->mmio, SMMU_GERROR);
	gerrorn = smmu_mmio_read32(&q->mmio, SMMU_GERRORN);
	if (!((gerror ^ gerrorn) & SMMU_GERROR_CMDQ_ERR)) {
		smmu_spin_unlock(&q->error_lock, flags);
		return false;
	}
	pos = smmu_cmdq_cons_refresh(q, &reg);
	code = (uint32_t)smmu_field_get(SMMU_CMDQ_CONS_ERR, reg);
	cmd = &q->ring[pos & (SMMU_BIT(q->log2size) - 1)];
	seen = *cmd;
	switch (code) {
	case SMMU_CERROR_ILL:
		*cmd = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
		smmu_port_clean(q->port, cmd, sizeof(*cmd));
		remember(q, pos, code);
		break;
	case SMMU_CERROR_ATC_INV_SYNC:
		remember(q, pos, code);
		break;
	case SMMU_CERROR_ABT:
		given_up = too_many_aborts(q, pos);
		break;
	default:
		given_up = true;
		break;
	}
	if (given_up)
		given_up = !smmu_exchange(&q->stuck, 1);
	/* The mended entry and the record are visible before the SMMU goes on. */
	smmu_dma_wmb();
	smmu_mmio_write32(&q->mmio, SMMU_GERRORN, gerrorn ^ (uint32_t)SMMU_GERROR_CMDQ_ERR);
	smmu_spin_unlock(&q->error_lock, flags);
	tell(q, pos, code, &seen, given_up);
	return true;
}

enum smmu_cmdq_status smmu_cmdq_hit(struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	enum smmu_cmdq_status status = SMMU_CMDQ_PENDING;
	uint32_t now;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&q->error_lock);
	now = q->errors;
	if (now - token->errors > SMMU_CMDQ_ERRORS)
		status = SMMU_CMDQ_LOST; /* no record of all of them: assume the worst */
	for (uint32_t i = token->errors; status != SMMU_CMDQ_LOST && i != now; i++) {
		const struct smmu_cmdq_error *e = &q->error[i % SMMU_CMDQ_ERRORS];

		if (e->pos < token->first || e->pos >= token->end)
			continue;
		status = e->code == SMMU_CERROR_ILL ? SMMU_CMDQ_LOST : SMMU_CMDQ_ATC_TIMEOUT;
	}
	smmu_spin_unlock(&q->error_lock, flags);
	return status;
}
