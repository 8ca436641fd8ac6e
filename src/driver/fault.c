/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults that wait for an answer. IHI 0070 G.b, 3.12.2 (stalls), 4.7.1 (RESUME), 8.1 and 4.5.2 (page requests).
 *
 * Each that waits has a place, and a serial number that no other ever had: whoever takes it out of its place, under the lock,
 * answers it. So an answer, the end of an attachment, and an answer that comes twice cannot meet; nor is a fault that was ended
 * mistaken for a later one with the same tag, which SMMU and device use again once it was answered.
 *
 * When SMMUEN goes, whatever has stalled aborts and its tag is free (6.3.9.6), and devices begin PRI anew. So no answer to what came
 * before may be sent after:
 *
 *   1. Between taking a fault out of its place and sending the answer there is no end of a read section, and both are done only
 *      where the instance is served. So whoever suspends waits for answers that are under way (smmu_handlers_stop), and finds
 *      all others in their places.
 *   2. Then it takes out whatever is there, and sends nothing (smmu_faults_forget): answers come too late.
 *   3. A page request goes into its place in the read section in which it was taken from the queue. An event does not: the embedder has
 *      it in hand. So the instance keeps in which of its lives its last event was taken, and there is one who takes them.
 *
 * What a detached device had stalled, and nobody has read yet, is not ended here: its event will be handed out, and whoever answers
 * it lets the transaction meet the STE as it is then. (CMD_STALL_TERM would give its tag back to the SMMU while the event with that
 * tag is still to be read.)
 */
#include <smmuv3/fault.h>

#include "driver.h"

static struct smmu_cmd command(const struct smmu_fault *f, enum smmu_fault_answer answer)
{
	static const uint8_t resp[] = {
		[SMMU_FAULT_RETRY] = SMMU_CMD_PRI_RESP_SUCCESS,
		[SMMU_FAULT_INVALID] = SMMU_CMD_PRI_RESP_INVALID,
		[SMMU_FAULT_FAILURE] = SMMU_CMD_PRI_RESP_FAILURE,
	};

	if (f->kind == SMMU_FAULT_STALL)
		return smmu_cmd_resume(f->sid, f->tag, answer == SMMU_FAULT_RETRY, true);
	return smmu_cmd_pri_resp(f->sid, f->ssv, f->ssid, f->tag, resp[answer]);
}

/** Between smmu_handler_enter and _exit. -SMMU_EIO. */
static int send(struct smmu_instance *inst, const struct smmu_fault *f,
		enum smmu_fault_answer answer)
{
	struct smmu_cmd cmd = command(f, answer);
	int error;

	smmu_instance_count(inst, &cmd, 1);
	error = smmu_cmdq_issue(&inst->cmdq, &cmd, 1, false);
	/* There is no ATC_INV in it: a time-out is somebody else's. */
	return error ? -SMMU_EIO : 0;
}

/** Of the places, and of the shares in them. */
static size_t place_bytes(uint32_t room)
{
	return room * (sizeof(struct smmu_fault) + sizeof(struct smmu_fault_share));
}

int smmu_faults_init(struct smmu_faults *f, struct smmu_instance *inst, uint32_t room)
{
	const struct smmu_port *port = inst->port;

	if (!room || !inst->up)
		return -SMMU_EINVAL;
	if (smmu_load(&inst->faults))
		return -SMMU_EBUSY;
	*f = (struct smmu_faults){.inst = inst, .port = port, .room = room};
	f->per_stream = room;
	f->waiting = port->ops->alloc(port->ctx, place_bytes(room));
	if (!f->waiting)
		return -SMMU_ENOMEM;
	for (uint32_t at = 0; at < room; at++)
		f->waiting[at].place = at + 1 < room ? at + 2 : 0;
	f->free = 1;
	smmu_shares_init(&f->shares, (struct smmu_fault_share *)(f->waiting + room), room);
	smmu_spin_init(&f->lock);
	smmu_store_release(&inst->faults, f);
	return 0;
}

void smmu_faults_limit(struct smmu_faults *f, uint32_t most)
{
	smmu_store(&f->per_stream, most ? most : f->room);
}

/** Has stream @p sid as many places as it may have? Under the lock. */
static bool has_its_share(struct smmu_faults *f, uint32_t sid)
{
	uint32_t most = smmu_load(&f->per_stream);

	return most < f->room && smmu_shares_of(&f->shares, sid) >= most;
}

/** Free the place @p at; what was there is in *@p was. Under the lock. */
static void vacate(struct smmu_faults *f, uint32_t at, struct smmu_fault *was)
{
	*was = f->waiting[at];
	smmu_shares_give(&f->shares, was->sid);
	f->waiting[at].serial = 0;
	f->waiting[at].place = f->free;
	f->free = at + 1;
	smmu_store(&f->used, smmu_load(&f->used) - 1);
}

/** What becomes of a fault that comes. */
enum verdict { WAITS, NO_ROOM, OVER_SHARE };

/** Let @p fault wait, which gets its number by that, if it may. */
static enum verdict wait_for_answer(struct smmu_faults *f, struct smmu_fault *fault)
{
	smmu_irqflags flags = smmu_spin_lock(&f->lock);
	enum verdict v = has_its_share(f, fault->sid)    ? OVER_SHARE
			 : smmu_load(&f->used) < f->room ? WAITS
							 : NO_ROOM;

	if (v == WAITS) {
		uint32_t at = f->free - 1;

		f->free = f->waiting[at].place;
		fault->place = at;
		fault->serial = ++f->serial;
		f->waiting[at] = *fault;
		smmu_shares_take(&f->shares, fault->sid);
		smmu_store(&f->used, smmu_load(&f->used) + 1);
	}
	f->turned_away += v == NO_ROOM;
	f->refused += v == OVER_SHARE;
	smmu_spin_unlock(&f->lock, flags);
	return v;
}

int smmu_fault_stalled(struct smmu_faults *f, const struct smmu_event *event,
		       struct smmu_fault *fault)
{
	struct smmu_instance *inst = f->inst;
	unsigned cookie;
	bool waits;

	if (!event->stall || !smmu_handler_enter(inst, &cookie))
		return 0;
	if (smmu_load(&inst->event_outages) != smmu_load(&inst->outages)) {
		smmu_handler_exit(inst, cookie);
		return 0;
	}
	*fault = (struct smmu_fault){.kind = SMMU_FAULT_STALL,
				     .type = event->type,
				     .read = event->rnw && !event->ind,
				     .write = !event->rnw,
				     .exec = event->ind,
				     .priv = event->pnu,
				     .s2 = event->s2,
				     .ssv = event->ssv,
				     .answer = true,
				     .tag = event->stag,
				     .sid = event->sid,
				     .ssid = event->ssid,
				     .addr = event->addr,
				     .ipa = event->ipa};
	waits = wait_for_answer(f, fault) == WAITS;
	if (!waits)
		send(inst, fault, SMMU_FAULT_INVALID);
	smmu_handler_exit(inst, cookie);
	return waits;
}

/** The next request, which waits for its answer or needs none (1), there is none (0), or it was answered at once (-SMMU_EAGAIN). */
static int next_request(struct smmu_faults *f, struct smmu_fault *fault)
{
	struct smmu_pri pri;
	enum verdict v;

	if (smmu_handler_page_request(f->inst, &pri) != 1)
		return 0;
	if (smmu_pri_is_stop(&pri))
		return -SMMU_EAGAIN;
	*fault = (struct smmu_fault){.kind = SMMU_FAULT_PAGE,
				     .read = pri.read,
				     .write = pri.write,
				     .exec = pri.exec,
				     .priv = pri.priv,
				     .ssv = pri.ssv,
				     .answer = pri.last,
				     .tag = pri.prgindex,
				     .sid = pri.sid,
				     .ssid = pri.ssid,
				     .addr = pri.addr};
	v = fault->answer ? wait_for_answer(f, fault) : WAITS;
	if (v == WAITS)
		return 1;
	send(f->inst, fault, v == NO_ROOM ? SMMU_FAULT_RETRY : SMMU_FAULT_INVALID);
	return -SMMU_EAGAIN;
}

int smmu_fault_request(struct smmu_faults *f, struct smmu_fault *fault)
{
	uint32_t left = 1u << f->inst->cfg.priq_log2;
	int n = -SMMU_EAGAIN;
	unsigned cookie;

	for (; left && n == -SMMU_EAGAIN; left--) {
		if (!smmu_handler_enter(f->inst, &cookie))
			return 0;
		n = next_request(f, fault);
		smmu_handler_exit(f->inst, cookie);
	}
	return n;
}

int smmu_fault_answer(struct smmu_faults *f, const struct smmu_fault *fault,
		      enum smmu_fault_answer answer)
{
	struct smmu_fault was;
	smmu_irqflags flags;
	unsigned cookie;
	bool waits, served;
	int error = -SMMU_ENODEV;

	if (!fault->answer || !fault->serial || fault->place >= f->room ||
	    (unsigned)answer > SMMU_FAULT_FAILURE)
		return -SMMU_EINVAL;
	served = smmu_handler_enter(f->inst, &cookie);
	flags = smmu_spin_lock(&f->lock);
	waits = f->waiting[fault->place].serial == fault->serial;
	if (waits && served)
		vacate(f, fault->place, &was);
	smmu_spin_unlock(&f->lock, flags);
	if (waits && served)
		error = send(f->inst, &was, answer);
	if (served)
		smmu_handler_exit(f->inst, cookie);
	return waits ? error : -SMMU_ENOENT;
}

/** True if @p fault is one of @p s: of substream @p ssid (0: of traffic without one), or any (@p all). */
static bool is_of(const struct smmu_fault *fault, const struct smmu_streams *s, uint32_t ssid,
		  bool all)
{
	uint32_t low = 0, high = s->nr;

	if (!all && (fault->ssv ? fault->ssid : 0) != ssid)
		return false;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (s->id[mid] == fault->sid)
			return true;
		if (s->id[mid] < fault->sid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/** Take out the next fault from place @p at on that is one of @p s (NULL: any). False: there is none. */
static bool take(struct smmu_faults *f, uint32_t *at, const struct smmu_streams *s, uint32_t ssid,
		 bool all, struct smmu_fault *fault)
{
	bool found = false;

	while (!found && *at < f->room) {
		smmu_irqflags flags = smmu_spin_lock(&f->lock);
		struct smmu_fault *w = &f->waiting[*at];

		if (w->serial && (!s || is_of(w, s, ssid, all))) {
			vacate(f, *at, fault);
			f->ended++;
			found = true;
		}
		smmu_spin_unlock(&f->lock, flags);
		++*at;
	}
	return found;
}

static void end(struct smmu_faults *f, const struct smmu_streams *s, uint32_t ssid, bool all)
{
	struct smmu_fault fault;
	bool more = true;
	unsigned cookie;
	uint32_t at = 0;

	/* Most devices have none: their detach does not look at each place. While it is not served, nothing is to be sent. */
	while (more && smmu_load(&f->used) && smmu_handler_enter(f->inst, &cookie)) {
		more = take(f, &at, s, ssid, all, &fault);
		if (more)
			send(f->inst, &fault, SMMU_FAULT_INVALID);
		smmu_handler_exit(f->inst, cookie);
	}
}

void smmu_faults_forget(struct smmu_instance *inst)
{
	struct smmu_faults *f = smmu_load_acquire(&inst->faults);
	struct smmu_fault fault;
	uint32_t at = 0;

	smmu_store(&inst->outages, smmu_load(&inst->outages) + 1);
	while (f && take(f, &at, NULL, 0, true, &fault))
		;
}

void smmu_streams_end_faults(const struct smmu_streams *s, uint32_t ssid, bool all)
{
	struct smmu_faults *f = smmu_load_acquire(&s->instance->faults);

	if (f)
		end(f, s, ssid, all);
}

void smmu_streams_end_lost(struct smmu_streams *s)
{
	struct smmu_instance *inst = s->instance;
	uint32_t lost = smmu_load(&inst->stalls_lost);

	if (s->stalls_lost == lost ||
	    !(inst->features.bits & (SMMU_FEAT_STALL | SMMU_FEAT_STALL_ALL)))
		return;
	s->stalls_lost = lost;
	for (uint32_t i = 0; i < s->nr; i++) {
		struct smmu_cmd cmd = smmu_cmd_stall_term(s->id[i]);

		smmu_instance_issue(inst, &cmd, 1, true);
	}
}

void smmu_faults_fini(struct smmu_faults *f)
{
	if (!f->waiting)
		return;
	end(f, NULL, 0, true);
	smmu_store(&f->inst->faults, NULL);
	f->port->ops->free(f->port->ctx, f->waiting, place_bytes(f->room));
	f->waiting = NULL;
}
