/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: what an instance does by itself, under a virtual clock or in a thread of its own.
 */
#include <sched.h>
#include <time.h>

#include "internal.h"

/** Nearer than this, a thread waits by giving way, not by sleeping. */
#define SPIN_NS 60000
#define IDLE_NS 20000000

static uint64_t clock_now(const struct smmu_model *model)
{
	struct timespec ts;

	if (model->clock == SMMU_MODEL_VIRTUAL)
		return model->hooks.now_ns ? model->hooks.now_ns(model->hooks.ctx) : model->now;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/** When @p in has something to do next. */
static inline uint64_t next_due(const struct instance *in)
{
	uint64_t due = earlier(earlier(in->r.next, in->pending_at),
			       earlier(in->cmdq_at, earlier(in->late_at, in->fetch_at)));

	due = earlier(due, in->restless_at);
	return due < in->paused_until ? in->paused_until : due;
}

/** With the virtual clock: note that @p in is due next at @p due. */
static void note_due(struct instance *in, uint64_t due)
{
	struct smmu_model *model = in->model;

	if (due == model->due[in->index])
		return;
	model->due[in->index] = due;
	for (unsigned n = (model->leaves + in->index) / 2; n; n /= 2) {
		unsigned a = model->sooner[2 * n], b = model->sooner[2 * n + 1];
		unsigned was = model->sooner[n], is = model->due[b] < model->due[a] ? b : a;

		model->sooner[n] = (uint8_t)is;
		/* Another that was first here and still is changes nothing further up. */
		if (is == was && is != in->index)
			break;
	}
	model->next = model->due[model->sooner[1]];
}

/** Let everything happen that is due up to @p now, in order. When is something due next? */
uint64_t model_run_until(struct instance *in, uint64_t now)
{
	uint64_t due;

	while ((due = next_due(in)) <= now) {
		if (due > in->now)
			in->now = due;
		if (in->r.next <= in->now)
			model_control_step(in);
		if (in->late_at <= in->now)
			model_events_due(in);
		if (in->fetch_at <= in->now)
			model_fetch_due(in);
		if (in->restless_at <= in->now)
			model_restless_due(in);
		if (in->pending_at <= in->now)
			model_effect_due(in);
		if (in->cmdq_at <= in->now)
			model_cmdq_step(in);
	}
	if (now > in->now)
		in->now = now;
	return due;
}

/** Begin a call from outside: alone, and with the instance as of now. */
void model_enter(struct instance *in)
{
	if (in->model->clock == SMMU_MODEL_REAL)
		pthread_mutex_lock(&in->lock);
	else if (in->entered)
		model_misuse(in, "a call comes in the middle of another one");
	in->entered = true;
	model_run_until(in, clock_now(in->model));
}

/** @p in is due next at @p due; interrupts are delivered without the lock. */
static void leave(struct instance *in, uint64_t due)
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;
	unsigned irqs = in->irqs;

	in->irqs = 0;
	in->entered = false;
	if (in->model->clock == SMMU_MODEL_VIRTUAL) {
		note_due(in, due);
	} else {
		if (in->running && due != NEVER)
			pthread_cond_signal(&in->wake);
		pthread_mutex_unlock(&in->lock);
	}
	for (unsigned i = 0; irqs && hooks->irq; i++, irqs >>= 1)
		if (irqs & 1)
			hooks->irq(hooks->ctx, in->index, (enum smmu_model_irq)i);
}

/** End it. */
void model_leave(struct instance *in)
{
	leave(in, next_due(in));
}

uint64_t smmu_model_now(struct smmu_model *model)
{
	return clock_now(model);
}

uint64_t smmu_model_next_event(void *ctx)
{
	struct smmu_model *model = ctx;
	uint64_t next = NEVER;

	if (model->clock == SMMU_MODEL_VIRTUAL)
		return model->next;
	for (unsigned i = 0; i < model->count; i++)
		next = earlier(next, next_due(&model->in[i]));
	return next;
}

const uint64_t *smmu_model_next_at(const struct smmu_model *model)
{
	return &model->next;
}

void smmu_model_advance(void *ctx, uint64_t now_ns)
{
	struct smmu_model *model = ctx;

	if (model->clock != SMMU_MODEL_VIRTUAL)
		return;
	/* One event at a time over all instances, so that callbacks come in the order of time. */
	while (model->next <= now_ns) {
		struct instance *first = &model->in[model->sooner[1]];
		uint64_t next = model->next;

		if (next > model->now)
			model->now = next;
		leave(first, model_run_until(first, next));
	}
	/* Instances that nothing happens to learn the time when they are entered. */
	if (now_ns > model->now)
		model->now = now_ns;
}

bool smmu_model_settle(struct smmu_model *model, uint64_t limit_ns)
{
	uint64_t end = model->now + limit_ns;

	while (smmu_model_next_event(model) != NEVER) {
		if (smmu_model_next_event(model) > end)
			return false;
		smmu_model_advance(model, smmu_model_next_event(model));
	}
	return true;
}

static void *instance_thread(void *arg)
{
	struct instance *in = arg;

	pthread_mutex_lock(&in->lock);
	while (!in->stop) {
		pthread_mutex_unlock(&in->lock);
		model_enter(in);

		uint64_t due = next_due(in), now = in->now;

		model_leave(in);
		if (due != NEVER && due <= now + SPIN_NS) {
			sched_yield();
			pthread_mutex_lock(&in->lock);
			continue;
		}
		pthread_mutex_lock(&in->lock);
		if (in->stop || next_due(in) < due)
			continue;

		uint64_t until = earlier(due, now + IDLE_NS);
		struct timespec ts = {.tv_sec = (time_t)(until / 1000000000u),
				      .tv_nsec = (long)(until % 1000000000u)};

		pthread_cond_timedwait(&in->wake, &in->lock, &ts);
	}
	pthread_mutex_unlock(&in->lock);
	return NULL;
}

void smmu_model_stop(struct smmu_model *model)
{
	for (unsigned i = 0; i < model->count; i++) {
		struct instance *in = &model->in[i];
		bool join;

		pthread_mutex_lock(&in->lock);
		in->stop = true;
		join = in->running;
		pthread_cond_signal(&in->wake);
		pthread_mutex_unlock(&in->lock);
		if (join)
			pthread_join(in->thread, NULL);
		pthread_mutex_lock(&in->lock);
		in->running = false;
		pthread_mutex_unlock(&in->lock);
	}
}

int smmu_model_start(struct smmu_model *model)
{
	if (model->clock != SMMU_MODEL_REAL)
		return -1;
	for (unsigned i = 0; i < model->count; i++) {
		struct instance *in = &model->in[i];
		bool ok;

		pthread_mutex_lock(&in->lock);
		in->stop = false;
		ok = in->running || !pthread_create(&in->thread, NULL, instance_thread, in);
		in->running = ok;
		pthread_mutex_unlock(&in->lock);
		if (!ok) {
			smmu_model_stop(model);
			return -1;
		}
	}
	return 0;
}
