/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual SMMUs: their life, nested domains, and the names that guests know streams by.
 *
 * The names are a table that is published whole, for guests' commands look names up in a read
 * section, without a lock. Plugging makes a larger copy. Unplugging stores NULL where the device
 * stood, which needs no memory, and waits for the readers: after that no command of the guest is
 * under way that was converted for the device.
 */
#include "vsmmu.h"

static size_t table_size(uint32_t count)
{
	return sizeof(struct smmu_vstreams) + 2 * (size_t)count * sizeof(struct smmu_vstream);
}

static uint32_t name_of(const struct smmu_vstream *e, bool real)
{
	return real ? e->real : e->guest;
}

/**
 * Of @p n entries from @p e on, sorted by one of their names, the first whose name is not below @p
 * name.
 */
static uint32_t lower_bound(const struct smmu_vstream *e, uint32_t n, bool real, uint32_t name)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (name_of(&e[mid], real) < name)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct smmu_vstream *find(const struct smmu_vstreams *t, bool real, uint32_t name)
{
	const struct smmu_vstream *e;
	uint32_t at;

	if (!t)
		return NULL;
	e = t->entry + (real ? t->count : 0);
	at = lower_bound(e, t->count, real, name);
	if (at == t->count || name_of(&e[at], real) != name || !smmu_load(&e[at].streams))
		return NULL;
	return &e[at];
}

const struct smmu_vstream *smmu_vstream_find(const struct smmu_vstreams *t, uint32_t guest)
{
	return find(t, false, guest);
}

const struct smmu_vstream *smmu_vstream_find_real(const struct smmu_vstreams *t, uint32_t real)
{
	return find(t, true, real);
}

/** What is published: in a read section, or with the lock held. */
static struct smmu_vstreams *table_of(struct smmu_vsmmu *v)
{
	return SMMU_BARRIER(array_followed, smmu_rcu_dereference(&v->streams));
}

static int stream(void *ctx, uint32_t guest, uint32_t *real)
{
	const struct smmu_vstream *e = smmu_vstream_find(table_of(ctx), guest);

	if (!e)
		return -SMMU_ENOENT;
	*real = e->real;
	return 0;
}

static int refuse(const struct smmu_instance *inst, const char *why)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), "cannot have the virtual SMMU: ");
	smmu_text_str(&m.text, why);
	smmu_message_log(&m, inst->port, SMMU_LOG_INFO);
	return -SMMU_EOPNOTSUPP;
}

/* A guest's commands and STEs reach the part: what the driver has to keep from it, guests have to as well. */
static struct smmu_id_regs without_quirks(const struct smmu_instance *inst)
{
	struct smmu_id_regs real = {inst->idr0, inst->idr1, inst->idr3, inst->idr5};

	if (!(inst->features.bits & SMMU_FEAT_RANGE))
		real.idr3 &= ~(uint32_t)SMMU_IDR3_RIL;
	if (!(inst->features.bits & SMMU_FEAT_ATS))
		real.idr0 &= ~(uint32_t)(SMMU_IDR0_ATS | SMMU_IDR0_PRI);
	return real;
}

void smmu_vsmmu_ids(const struct smmu_instance *inst, struct smmu_id_regs *shown)
{
	const struct smmu_id_regs real = without_quirks(inst);

	smmu_guest_ids(&real, shown);
}

int smmu_vsmmu_init(struct smmu_vsmmu *v, const struct smmu_vsmmu_config *cfg)
{
	struct smmu_instance *inst = cfg->instance;
	struct smmu_id_regs real;
	const char *why;
	int error, vmid;

	*v = (struct smmu_vsmmu){.shown = cfg->shown};
	if (!inst || !cfg->parent || cfg->parent->kind != SMMU_DOMAIN_STAGE2 ||
	    cfg->parent->port->rcu != inst->port->rcu)
		return -SMMU_EINVAL;
	if (!inst->up)
		return -SMMU_ENODEV;
	/* A guest's CDs do not stall, and on such a part that makes them illegal (5.5). */
	if (inst->features.bits & SMMU_FEAT_STALL_ALL)
		return refuse(inst, "all that faults stalls (IDR0.STALL_MODEL)");
	real = without_quirks(inst);
	why = smmu_guest_ids_refused(&real, &cfg->shown);
	if (why)
		return refuse(inst, why);
	error = smmu_domain_check(inst, cfg->parent);
	if (error)
		return error;
	vmid = smmu_instance_take_vmid(inst, cfg->parent);
	if (vmid < 0)
		return vmid;
	smmu_store(&v->instance, inst);
	v->parent = cfg->parent;
	smmu_mutex_init(&v->lock);
	smmu_guest_init(&v->guest, &v->shown, (uint16_t)vmid, stream, v);
	smmu_fetch_add(&v->parent->users, 1);
	smmu_mutex_lock(&inst->lock);
	v->next = inst->vsmmus;
	inst->vsmmus = v;
	smmu_mutex_unlock(&inst->lock);
	return 0;
}

static void free_table(struct smmu_vsmmu *v, struct smmu_vstreams *t)
{
	const struct smmu_port *port = v->parent->port;

	if (t)
		port->ops->free(port->ctx, t, table_size(t->count));
}

int smmu_vsmmu_fini(struct smmu_vsmmu *v)
{
	struct smmu_instance *inst = smmu_load(&v->instance);
	struct smmu_vsmmu **p;

	if (smmu_load(&v->users))
		return -SMMU_EBUSY;
	if (!v->parent)
		return 0;
	if (inst) {
		smmu_mutex_lock(&inst->lock);
		for (p = &inst->vsmmus; *p != v;)
			p = &(*p)->next;
		*p = v->next;
		smmu_mutex_unlock(&inst->lock);
		smmu_instance_give_vmid(inst, v->parent, v->guest.vmid);
	}
	free_table(v, table_of(v));
	v->streams = NULL;
	smmu_fetch_sub(&v->parent->users, 1);
	v->parent = NULL;
	smmu_store(&v->instance, NULL);
	return 0;
}

void smmu_instance_drop_vsmmus(struct smmu_instance *inst)
{
	struct smmu_vsmmu *v;

	smmu_mutex_lock(&inst->lock);
	while ((v = inst->vsmmus)) {
		inst->vsmmus = v->next;
		/*
		 * The removal waits for the readers behind this: guests' commands that have seen
		 * the instance.
		 */
		smmu_store(&v->instance, NULL);
	}
	smmu_mutex_unlock(&inst->lock);
}

int smmu_nested_init(struct smmu_domain *d, struct smmu_vsmmu *v, const struct smmu_ste *guest,
		     const char **why)
{
	const char *broken;

	*d = (struct smmu_domain){.kind = SMMU_DOMAIN_NESTED};
	broken = smmu_guest_ste_read(&v->shown, guest, &d->guest);
	if (why)
		*why = broken;
	if (broken)
		return -SMMU_EINVAL;
	d->port = v->parent->port;
	d->non_coherent = v->parent->non_coherent;
	d->vsmmu = v;
	smmu_mutex_init(&d->lock);
	smmu_fetch_add(&v->users, 1);
	return 0;
}

/* ---- Names ---- */

/** Put @p e into the sorted table at @p to, which holds @p n. */
static void insert(struct smmu_vstream *to, uint32_t n, bool real, const struct smmu_vstream *e)
{
	uint32_t at = lower_bound(to, n, real, name_of(e, real));

	for (uint32_t i = n; i > at; i--)
		to[i] = to[i - 1];
	to[at] = *e;
}

/**
 * Copy the live entries of @p t, with room for @p more. NULL: memory is short. The lock of @p v is
 * held.
 */
static struct smmu_vstreams *copy(struct smmu_vsmmu *v, uint32_t more)
{
	const struct smmu_port *port = v->parent->port;
	const struct smmu_vstreams *old = table_of(v);
	struct smmu_vstreams *t;
	uint32_t live = 0;

	for (uint32_t i = 0; old && i < old->count; i++)
		live += smmu_load(&old->entry[i].streams) != NULL;
	t = port->ops->alloc(port->ctx, table_size(live + more));
	if (!t)
		return NULL;
	t->count = live + more;
	for (uint32_t i = 0, guest = 0, real = 0; old && i < old->count; i++) {
		if (smmu_load(&old->entry[i].streams))
			t->entry[guest++] = old->entry[i];
		if (smmu_load(&old->entry[old->count + i].streams))
			t->entry[t->count + real++] = old->entry[old->count + i];
	}
	return t;
}

/** Publish @p t; the old one goes when nobody reads it any more. The lock of @p v is held. */
static void publish(struct smmu_vsmmu *v, struct smmu_vstreams *t)
{
	struct smmu_vstreams *old = table_of(v);

	SMMU_BARRIER(array_filled, smmu_store_release(&v->streams, t));
	smmu_rcu_synchronize(v->parent->port->rcu);
	free_table(v, old);
}

static int check_names(struct smmu_vsmmu *v, const uint32_t *names, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (names[i] >= v->guest.stream_end)
			return -SMMU_ERANGE;
		if (smmu_vstream_find(table_of(v), names[i]))
			return -SMMU_EEXIST;
		for (uint32_t k = 0; k < i; k++)
			if (names[k] == names[i])
				return -SMMU_EEXIST;
	}
	return 0;
}

/** The locks of device and virtual SMMU are held. */
static int plug(struct smmu_vsmmu *v, struct smmu_device *dev, const uint32_t *names)
{
	struct smmu_streams *s = dev->streams;
	struct smmu_vstreams *t;
	int error = check_names(v, names, s->nr);

	if (error)
		return error;
	t = copy(v, s->nr);
	if (!t)
		return -SMMU_ENOMEM;
	for (uint32_t i = 0; i < s->nr; i++) {
		const struct smmu_vstream e = {names[i], s->id[i], s};
		uint32_t n = t->count - s->nr + i;

		insert(t->entry, n, false, &e);
		insert(t->entry + t->count, n, true, &e);
	}
	publish(v, t);
	dev->plugged = v;
	smmu_fetch_add(&v->users, 1);
	return 0;
}

int smmu_vsmmu_plug(struct smmu_vsmmu *v, struct smmu_device *dev, const uint32_t *names)
{
	int error;

	smmu_mutex_lock(&dev->lock);
	if (!dev->instance || !smmu_load(&v->instance))
		error = -SMMU_ENODEV;
	else if (dev->instance != smmu_load(&v->instance))
		error = -SMMU_EINVAL;
	else if (dev->plugged)
		error = -SMMU_EBUSY;
	else {
		smmu_mutex_lock(&v->lock);
		error = plug(v, dev, names);
		smmu_mutex_unlock(&v->lock);
	}
	smmu_mutex_unlock(&dev->lock);
	return error;
}

void smmu_device_unplug(struct smmu_device *dev)
{
	struct smmu_vsmmu *v = dev->plugged;
	struct smmu_vstreams *t, *smaller;

	if (!v)
		return;
	dev->plugged = NULL;
	smmu_mutex_lock(&v->lock);
	t = table_of(v);
	for (uint32_t i = 0; i < 2 * t->count; i++)
		if (smmu_load(&t->entry[i].streams) == dev->streams)
			smmu_store(&t->entry[i].streams, NULL);
	smaller = copy(v, 0);
	if (smaller)
		publish(v, smaller);
	else
		smmu_rcu_synchronize(v->parent->port->rcu);
	smmu_mutex_unlock(&v->lock);
	/* Last: from here on the virtual SMMU may be finished. */
	smmu_fetch_sub(&v->users, 1);
}

void smmu_vsmmu_unplug(struct smmu_device *dev)
{
	smmu_mutex_lock(&dev->lock);
	smmu_device_unplug(dev);
	smmu_mutex_unlock(&dev->lock);
}
