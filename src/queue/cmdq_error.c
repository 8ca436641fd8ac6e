/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command queue errors: IHI 0070 G.b, 7.1. The SMMU stops at the command that CONS points to and makes GERROR.CMDQ_ERR
 * active; it goes on from there, and reads the command again, when the error is acknowledged in GERRORN.
 *
 *   CERROR_ILL           the command is not valid. What it was meant to be is not known here, so it is replaced by a
 *                        CMD_SYNC, and the batch it belongs to is told to come again as a whole.
 *   CERROR_ABT           reading it was aborted. It is tried again, a number of times.
 *   CERROR_ATC_INV_SYNC  the CMD_SYNC at CONS waited in vain for an ATC. The batch is told; it completes otherwise.
 *
 * An error that cannot be mended stays active: acknowledged, it would come again at once, and for ever.
 *
 * Whose command it was says the mark of the slot at which its piece ends: the first one from CONS on whose mark names
 * itself. None of these slots can have gone to a later lap, as CONS has not passed them; and what an earlier lap left in one
 * is smaller. The CMD_SYNC that met an ATC time-out stands behind that ATC's commands in the same piece (fact 9 of cmdq.c).
 */
#include <smmuv3/hw/print.h>
#include <smmuv3/trace.h>

#include "cmdq.h"

#define ABORT_TRIES 16u

static void tell(struct smmu_cmdq *q, uint64_t pos, uint32_t code, const struct smmu_cmd *cmd,
		 bool given_up)
{
	struct smmu_message m SMMU_UNINIT;

	smmu_text_str(smmu_message_begin(&m, q->name), "command queue: ");
	switch (code) {
	case SMMU_CERROR_ILL:
		smmu_text_str(&m.text, "CERROR_ILL");
		break;
	case SMMU_CERROR_ABT:
		smmu_text_str(&m.text, "CERROR_ABT");
		break;
	case SMMU_CERROR_ATC_INV_SYNC:
		smmu_text_str(&m.text, "CERROR_ATC_INV_SYNC (an ATC does not answer)");
		break;
	default:
		smmu_text_str(&m.text, "unknown error ");
		smmu_text_dec(&m.text, code);
		break;
	}
	smmu_text_str(&m.text, " at CONS ");
	smmu_text_hex(&m.text, cmdq_index(q, pos), 1);
	smmu_text_str(&m.text, ": ");
	smmu_print_cmd(&m.text, cmd);
	if (given_up)
		smmu_text_str(&m.text, ": the SMMU is given up until it is reset");
	smmu_message_log(&m, q->port, given_up ? SMMU_LOG_ERROR : SMMU_LOG_WARN);
}

static void tell_msi(struct smmu_cmdq *q)
{
	struct smmu_message m SMMU_UNINIT;

	smmu_text_str(smmu_message_begin(&m, q->name),
		      "the MSI write of a CMD_SYNC was aborted: CONS is polled from now on");
	smmu_message_log(&m, q->port, SMMU_LOG_WARN);
}

void smmu_cmdq_remember(struct smmu_cmdq *q, uint64_t from, uint64_t to, uint32_t code)
{
	uint32_t n = q->errors;

	q->error[n % SMMU_CMDQ_ERRORS] = (struct smmu_cmdq_error){from, to, code};
	/* Pairs with the load in poll_once: seen before the completion that the acknowledge makes possible. */
	SMMU_BARRIER(cmdq_error_noted, smmu_store_release(&q->errors, n + 1));
}

/** Note the error at @p pos for the batch that it hit. */
static void blame(struct smmu_cmdq *q, uint64_t pos, uint32_t code)
{
	for (uint64_t at = pos; at - pos < q->piece; at++) {
		const struct smmu_cmdq_mark *mark = &q->mark[cmdq_slot(q, at)];
		uint64_t batch = smmu_load(&mark->batch);

		if (smmu_load_acquire(&mark->end) == at + 1) {
			smmu_cmdq_remember(q, batch, batch, code);
			return;
		}
	}
	/* Hardware that stops where nothing was published: all have to come again. */
	smmu_cmdq_remember(q, 0, UINT64_MAX, CMDQ_STARTED_OVER);
}

/** True if the queue fails at the same place again and again: it is given up. */
static bool too_many_aborts(struct smmu_cmdq *q, uint64_t pos)
{
	if (q->abort_pos != pos)
		q->aborts = 0;
	q->abort_pos = pos;
	return ++q->aborts >= ABORT_TRIES;
}

/** Mend what is at CONS. False if it cannot be. */
static bool mend(struct smmu_cmdq *q, uint64_t pos, uint32_t code, struct smmu_cmd *cmd)
{
	switch (code) {
	case SMMU_CERROR_ILL:
		*cmd = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
		smmu_port_clean(q->port, cmd, sizeof(*cmd));
		blame(q, pos, code);
		return true;
	case SMMU_CERROR_ATC_INV_SYNC:
		blame(q, pos, code);
		return true;
	case SMMU_CERROR_ABT:
		return !too_many_aborts(q, pos);
	default:
		return false;
	}
}

/** What of the queue's own is active in GERROR; *@p gerrorn is the other register. */
static uint32_t active(struct smmu_cmdq *q, uint32_t *gerrorn)
{
	uint32_t gerror = smmu_mmio_read32(&q->mmio, SMMU_GERROR);

	*gerrorn = smmu_mmio_read32(&q->mmio, SMMU_GERRORN);
	gerror = (gerror ^ *gerrorn) & (uint32_t)SMMU_CMDQ_GERROR;
	/* What the queue was given up for is left alone. */
	if (smmu_load(&q->stuck) >= CMDQ_FAILED)
		gerror &= ~(uint32_t)SMMU_GERROR_CMDQ_ERR;
	return gerror;
}

bool smmu_cmdq_serve_error(struct smmu_cmdq *q)
{
	struct smmu_cmd *cmd, seen = {{0, 0}};
	uint32_t gerrorn, bits, reg, code = 0, ack;
	bool given_up = false;
	smmu_irqflags flags;
	uint64_t pos = 0;

	if (!active(q, &gerrorn))
		return false;
	flags = smmu_spin_lock(&q->error_lock);
	ack = bits = active(q, &gerrorn);
	if (bits & SMMU_GERROR_CMDQ_ERR) {
		pos = smmu_cmdq_cons(q, &reg);
		code = (uint32_t)smmu_field_get(SMMU_CMDQ_CONS_ERR, reg);
		cmd = &q->ring[cmdq_slot(q, pos)];
		seen = *cmd;
		smmu_count(&q->counts.errors, 1);
		given_up = !mend(q, pos, code, cmd);
	}
	if (given_up) {
		uint32_t stuck = smmu_load(&q->stuck);

		while (stuck < CMDQ_FAILED &&
		       !smmu_compare_exchange(&q->stuck, &stuck, CMDQ_FAILED))
			;
		smmu_count(&q->counts.given_up, 1);
		ack &= ~(uint32_t)SMMU_GERROR_CMDQ_ERR;
	}
	if (bits & SMMU_GERROR_MSI_CMDQ_ABT_ERR)
		smmu_store_release(&q->msi_off, 1);
	if (ack) {
		/* The mended entry and the record are visible before the SMMU goes on. */
		SMMU_BARRIER(cmdq_mended_visible, smmu_dma_wmb());
		smmu_mmio_write32(&q->mmio, SMMU_GERRORN, gerrorn ^ ack);
	}
	smmu_spin_unlock(&q->error_lock, flags);
	if (bits & SMMU_GERROR_CMDQ_ERR) {
		SMMU_TRACE_CMDQ_ERROR(q, pos, code);
		tell(q, pos, code, &seen, given_up);
	}
	if (bits & SMMU_GERROR_MSI_CMDQ_ABT_ERR)
		tell_msi(q);
	return bits != 0;
}

/** Whether @p e hit the batch of @p token. */
static bool hits(const struct smmu_cmdq_error *e, const struct smmu_cmdq_token *token)
{
	uint64_t first = token->end - token->length;

	if (e->code == CMDQ_STARTED_OVER)
		return first < e->to && token->end > e->from;
	return first == e->from;
}

enum smmu_cmdq_status smmu_cmdq_hit(struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	enum smmu_cmdq_status status = SMMU_CMDQ_PENDING;
	smmu_irqflags flags = smmu_spin_lock(&q->error_lock);
	uint32_t now = q->errors;

	if (now - token->errors > SMMU_CMDQ_ERRORS)
		status = SMMU_CMDQ_LOST; /* no record of all of them: assume the worst */
	for (uint32_t i = token->errors; status != SMMU_CMDQ_LOST && i != now; i++) {
		const struct smmu_cmdq_error *e = &q->error[i % SMMU_CMDQ_ERRORS];

		if (hits(e, token))
			status = e->code == SMMU_CERROR_ATC_INV_SYNC ? SMMU_CMDQ_ATC_TIMEOUT
								     : SMMU_CMDQ_LOST;
	}
	smmu_spin_unlock(&q->error_lock, flags);
	return status;
}
