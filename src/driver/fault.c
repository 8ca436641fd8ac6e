/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults that wait for an answer. IHI 0070 G.b, 3.12.2 (stalls), 4.7.1 (RESUME), 8.1 and 4.5.2 (page requests).
 *
 * Each that waits has a place, and a serial number that no other ever had: whoever takes it out of its place, under the lock,
 * answers it. So an answer, the end of an attachment, and an answer that comes twice cannot meet; nor is a fault that was ended
 * mistaken for a later one with the same tag, which SMMU and device use again once it was answered.
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

/** Any context. -SMMU_ENODEV, -SMMU_EIO. */
static int send(struct smmu_instance *inst, const struct smmu_fault *f,
		enum smmu_fault_answer answer)
{
	struct smmu_cmd cmd = command(f, answer);
	unsigned cookie;
	int error;

	if (!smmu_handler_enter(inst, &cookie))
		return -SMMU_ENODEV;
	smmu_instance_count(inst, &cmd, 1);
	error = smmu_cmdq_issue(&inst->cmdq, &cmd, 1, false);
	smmu_handler_exit(inst, cookie);
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
	if (!event->stall)
		return 0;
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
	if (wait_for_answer(f, fault) == WAITS)
		return 1;
	send(f->inst, fault, SMMU_FAULT_INVALID);
	return 0;
}

int smmu_fault_request(struct smmu_faults *f, struct smmu_fault *fault)
{
	uint32_t left = 1u << f->inst->cfg.priq_log2;
	struct smmu_pri pri;
	enum verdict v;

	for (; left; left--) {
		if (smmu_instance_page_request(f->inst, &pri) != 1)
			return 0;
		if (smmu_pri_is_stop(&pri))
			continue;
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
	}
	return -SMMU_EAGAIN;
}

int smmu_fault_answer(struct smmu_faults *f, const struct smmu_fault *fault,
		      enum smmu_fault_answer answer)
{
	struct smmu_fault was = {0};
	smmu_irqflags flags;

	if (!fault->answer || !fault->serial || fault->place >= f->room ||
	    (unsigned)answer > SMMU_FAULT_FAILURE)
		return -SMMU_EINVAL;
	flags = smmu_spin_lock(&f->lock);
	if (f->waiting[fault->place].serial == fault->serial)
		vacate(f, fault->place, &was);
	smmu_spin_unlock(&f->lock, flags);
	return was.serial ? send(f->inst, &was, answer) : -SMMU_ENOENT;
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
	uint32_t at = 0;

	/* Most devices have none: their detach does not look at each place. */
	while (smmu_load(&f->used) && take(f, &at, s, ssid, all, &fault))
		send(f->inst, &fault, SMMU_FAULT_INVALID);
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
