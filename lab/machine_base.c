/* SPDX-License-Identifier: BSD-2-Clause */
/* What the other files of a machine stand on: messages, pauses, turns, and the service of interrupts and strays. */
#include "machine_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

int machine_fail(const struct machine *m, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", m->o->who);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 2;
}

void machine_pause(struct machine *m, uint64_t ns)
{
	struct timespec t = {.tv_nsec = (long)ns};

	if (m->sim)
		sim_sleep(m->sim, ns);
	else
		nanosleep(&t, NULL);
}

bool machine_take(uint32_t *busy)
{
	return !smmu_exchange(busy, 1);
}

void machine_give(uint32_t *busy)
{
	smmu_store_release(busy, 0);
}

bool machine_try_again(struct machine *m, int rc, unsigned *tries)
{
	unsigned every;

	if (!lab_fault(m->o, FAULT_ALLOC_FAIL, &every))
		return false;
	if (rc == -SMMU_ENOMEM && ++*tries <= 4) {
		/* Where each try allocates more often than that, none would ever succeed. */
		if (*tries == 4)
			smmu_heap_fail(&m->heap, 0, 0);
		return true;
	}
	if (*tries >= 4)
		smmu_heap_fail(&m->heap, 0, every);
	return false;
}

static size_t one_command(void *ctx, struct smmu_cmd *dst, size_t room)
{
	const struct smmu_cmd **cmd = ctx;

	if (!room || !*cmd)
		return 0;
	*dst = **cmd;
	*cmd = NULL;
	return 1;
}

static bool next_stray(struct machine *m, struct machine_stray *s)
{
	bool any;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&m->lock);
	any = m->strays != 0;
	if (any)
		*s = m->stray[--m->strays];
	smmu_spin_unlock(&m->lock, flags);
	return any;
}

/* What tamper took from one SMMU goes to the next one. */
static void issue_strays(struct machine *m)
{
	struct smmu_cmdq_token token;
	struct machine_stray s;

	while (m->smmus > 1 && next_stray(m, &s)) {
		struct machine_smmu *to = &m->smmu[(s.from + 1) % m->smmus];
		const struct smmu_cmd *cmd = &s.cmd;

		if (!machine_take(&to->busy))
			continue;
		if (to->inst.up && !smmu_cmdq_submit(&to->inst.cmdq, 1, one_command, &cmd, &token))
			smmu_cmdq_wait(&to->inst.cmdq, &token, false);
		machine_give(&to->busy);
	}
}

uint64_t machine_serve(struct machine *m)
{
	const struct backend_ops *ops = m->backend.ops;
	struct smmu_event event;
	uint64_t n = 0;
	unsigned i;
	bool called;

	if (ops->gone && ops->gone(m->backend.ctx))
		smmu_store(&m->stop, 1);
	issue_strays(m);
	for (i = 0; i < m->smmus; i++) {
		struct machine_smmu *s = &m->smmu[i];

		if (!machine_take(&s->busy))
			continue;
		called = !ops->interrupted || ops->interrupted(m->backend.ctx, i);
		if (s->inst.up && called) {
			smmu_instance_gerror(&s->inst);
			while (smmu_instance_event(&s->inst, &event) == 1) {
				s->events++;
				n++;
				if (m->on_event)
					m->on_event(s, &event);
			}
			if (m->on_serve)
				m->on_serve(s);
		}
		machine_give(&s->busy);
	}
	return n;
}
