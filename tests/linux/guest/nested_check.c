/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that are given to guests with SMMUs of their own: guest A has one behind each of two SMMUs, over one memory; guest B has
 * one behind the first, over memory of its own. What a guest would write into its SMMU's tables and queues this program does.
 *
 * usage: nested_check NAME ROUNDS DEVICE DEVICE DEVICE   (the first two are behind one SMMU, the third behind another)
 * Says "ok: NAME: …" or "FAILED: NAME: …" for each thing that was to be seen. Exit status: 0 all well, 1 something failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "nested_guest.h"

#define PROBE 8u
#define DEVICES 3u

/* Commands: 4.3 and 4.4. */
enum {
	CFGI_STE = 3,
	CFGI_CD = 5,
	CFGI_CD_ALL = 6,
	NH_ALL = 0x10,
	NH_ASID,
	NH_VA,
	NH_VAA,
	EL2_ALL = 0x20,
	S2_IPA = 0x2a,
	NSNH_ALL = 0x30,
	SYNC = 0x46,
	NO_COMMAND = 0x7f
};
#define OF_STREAM(name) ((uint64_t)(name) << 32)

#define F_TRANSLATION 0x10u

/* A device in a guest: its virtual SMMU, its name there, and what it is attached to. */
struct user {
	struct guest *guest;
	unsigned device;
	uint32_t name, id, viommu, vdevice, hwpt, queue;
	int events;
};

static const char *name;
static unsigned failed;
static int iommufd;
static struct vfio vfio;

static void check(bool fine, const char *what)
{
	if (!fine) {
		printf("FAILED: %s: %s\n", name, what);
		failed++;
	}
}

static void returns(int error, int wanted, const char *what)
{
	if (error != wanted) {
		printf("FAILED: %s: %s: %d (%s), not %d\n", name, what, error, strerror(error),
		       wanted);
		failed++;
	}
}

/* ---- what a guest does ---- */

/* One command, which has to be done. */
static void tell(const struct user *u, uint64_t w0, uint64_t w1)
{
	const uint64_t command[2] = {w0, w1};
	uint32_t done = 9;

	returns(iommufd_invalidate(iommufd, u->viommu, command, 1, &done), 0, "an invalidation");
	check(done == 1, "an invalidation is not counted");
}

/* ---- what devices do ---- */

static uint8_t *page_of(const struct user *u, uint64_t page_at)
{
	return u->guest->memory + PART + page_at;
}

/* What is read at VA comes back there. */
static bool carries(const struct user *u, uint64_t va, uint8_t *page, unsigned seed)
{
	uint8_t wanted[PAGE];

	for (unsigned i = 0; i < PAGE; i++)
		wanted[i] = (uint8_t)(0x80 | (i * 7 + i / 251 + seed));
	memcpy(page, wanted, PAGE);
	check(vfio_edu_read(&vfio, u->device, va, PAGE), "a device's read does not end");
	memset(page, 0x55, PAGE);
	check(vfio_edu_write(&vfio, u->device, va, PAGE), "a device's write does not end");
	return !memcmp(page, wanted, PAGE);
}

/* A write of the device to VA changes the page. */
static bool reaches(const struct user *u, uint64_t va, uint8_t *page)
{
	uint8_t before[PROBE];

	memset(page, 0x55, PROBE);
	memcpy(before, page, PROBE);
	check(vfio_edu_write(&vfio, u->device, va, PROBE), "a device's write does not end");
	return memcmp(page, before, PROBE);
}

static void drain(const struct user *u)
{
	struct iommufd_event e;

	while (iommufd_event(u->events, &e, 0))
		;
}

/* The device is turned away by the guest's own tables: the guest gets the event, with its name of the stream. */
static void turned_away(const struct user *u, uint64_t va, uint8_t *page, const char *what)
{
	struct iommufd_event e = {0};

	drain(u);
	if (reaches(u, va, page)) {
		printf("FAILED: %s: stale: %s: device %u wrote to %#llx\n", name, what, u->device,
		       (unsigned long long)va);
		failed++;
		return;
	}
	if (!iommufd_event(u->events, &e, 2000)) {
		printf("FAILED: %s: %s: the guest of device %u got no event\n", name, what,
		       u->device);
		failed++;
	} else if ((e.w[0] & 0xff) != F_TRANSLATION || e.w[0] >> 32 != u->name || e.w[2] != va) {
		printf("FAILED: %s: %s: event %#llx %#llx at %#llx, not of stream %#x at %#llx\n",
		       name, what, (unsigned long long)e.w[0], (unsigned long long)e.w[1],
		       (unsigned long long)e.w[2], u->name, (unsigned long long)va);
		failed++;
	}
}

/* ---- setting up ---- */

static void begin_guest(struct guest *g, uint32_t device)
{
	uint32_t idr[4];

	g->memory = vfio_memory(2 * PART);
	returns(iommufd_ids(iommufd, device, idr), 0, "IOMMU_GET_HW_INFO");
	check(idr[0] & 2 && !(idr[0] & 1), "IDR0 does not show stage 1 alone");
	g->oas = idr[3] & 7;
	guest_tables(g, TABLES_AT);
	guest_tables(g, TABLES_2_AT);
	guest_cd(g, TABLES_AT);
	returns(iommufd_ioas(iommufd, &g->ioas), 0, "IOMMU_IOAS_ALLOC");
	for (unsigned i = 0; i < 2; i++)
		returns(iommufd_map(iommufd, g->ioas, g->memory + i * PART, IPA + i * PART, PART),
			0, "IOMMU_IOAS_MAP");
	returns(iommufd_parent(iommufd, device, g->ioas, &g->parent), 0, "a parent");
}

/* A device without a name gets in only where the guest does not translate. */
static void before_it_has_a_name(const struct user *u)
{
	uint32_t bypass;

	returns(iommufd_attach(&vfio, u->device, u->hwpt), ENOENT,
		"attach before there is a vDEVICE");
	returns(iommufd_nested(iommufd, u->id, u->viommu, STE_V | STE_BYPASS, 0, &bypass), 0,
		"an STE of bypass");
	returns(iommufd_attach(&vfio, u->device, bypass), 0, "attach to an STE of bypass");
	check(carries(u, IPA + PART, page_of(u, 0), 1), "stage 2 alone does not carry");
	returns(iommufd_destroy(iommufd, bypass), EBUSY, "the end of a domain in use");
	returns(iommufd_detach(&vfio, u->device), 0, "detach");
	returns(iommufd_destroy(iommufd, bypass), 0, "the end of an STE of bypass");
}

static void begin_user(struct user *u)
{
	returns(iommufd_viommu(iommufd, u->id, u->guest->parent, &u->viommu), 0, "a vIOMMU");
	returns(iommufd_events(iommufd, u->viommu, &u->queue, &u->events), 0, "a vEVENTQ");
	returns(iommufd_nested(iommufd, u->id, u->viommu, STE_V | STE_S1 | (IPA + CD_AT), STE_W1,
			       &u->hwpt),
		0, "an STE of stage 1");
	if (failed)
		return;
	before_it_has_a_name(u);
	returns(iommufd_vdevice(iommufd, u->viommu, u->id, 1ull << 32, &u->vdevice), EINVAL,
		"a name that is too long");
	returns(iommufd_vdevice(iommufd, u->viommu, u->id, u->name, &u->vdevice), 0, "a vDEVICE");
	returns(iommufd_attach(&vfio, u->device, u->hwpt), 0, "attach to an STE of stage 1");
}

static void end_user(const struct user *u)
{
	returns(iommufd_detach(&vfio, u->device), 0, "detach");
	returns(iommufd_destroy(iommufd, u->hwpt), 0, "the end of a domain");
	returns(iommufd_destroy(iommufd, u->vdevice), 0, "the end of a vDEVICE");
	close(u->events);
	returns(iommufd_destroy(iommufd, u->queue), 0, "the end of a vEVENTQ");
	returns(iommufd_destroy(iommufd, u->viommu), 0, "the end of a vIOMMU");
}

static void end_guest(const struct guest *g)
{
	returns(iommufd_destroy(iommufd, g->parent), 0, "the end of a parent");
	returns(iommufd_destroy(iommufd, g->ioas), 0, "the end of an IOAS");
}

/* ---- what is to be seen ---- */

/* The guest unmaps a page in each way that there is to say so, and maps another one there. */
static void guest_unmaps(const struct user *u, unsigned seed)
{
	static const struct {
		uint64_t w0, w1;
		const char *what;
	} ways[] = {
		{NH_VA | OF_ASID(ASID), 1, "TLBI_NH_VA"},
		{NH_VAA, 0, "TLBI_NH_VAA"},
		{NH_ASID | OF_ASID(ASID), 0, "TLBI_NH_ASID"},
		{NH_ALL, 0, "TLBI_NH_ALL"},
		{NSNH_ALL, 0, "TLBI_NSNH_ALL"},
		/* Whatever stands where the VMID belongs. */
		{NH_VA | OF_ASID(ASID) | 0xfffeull << 32, 1, "TLBI_NH_VA of a VMID"},
	};

	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		uint64_t va = VA + (1 + i) * PAGE, at = (16 * u->device + i) * PAGE;
		bool by_va = (ways[i].w0 & 0xff) == NH_VA || (ways[i].w0 & 0xff) == NH_VAA;

		guest_maps(u->guest, TABLES_AT, va, at);
		check(carries(u, va, page_of(u, at), seed + i),
		      "a guest's translation does not carry");
		guest_maps(u->guest, TABLES_AT, va, NO_PAGE);
		tell(u, ways[i].w0, ways[i].w1 | (by_va ? va : 0));
		turned_away(u, va, page_of(u, at), ways[i].what);
	}
}

/* The host takes the guest's memory away, under all of its devices, and gives it back. */
static void parent_unmaps(const struct user *a, const struct user *a2)
{
	struct guest *g = a->guest;
	uint64_t at = 100 * PAGE;
	const struct user *const users[] = {a, a2};

	guest_maps(g, TABLES_AT, VA, at);
	for (unsigned i = 0; i < 2; i++)
		drain(users[i]);
	for (unsigned i = 0; i < 2; i++)
		check(carries(users[i], VA, page_of(a, at), 50 + i),
		      "devices of one guest behind two SMMUs");
	returns(iommufd_unmap(iommufd, g->ioas, IPA + PART, PART), 0, "IOMMU_IOAS_UNMAP");
	for (unsigned i = 0; i < 2; i++)
		if (reaches(users[i], VA, page_of(a, at))) {
			printf("FAILED: %s: stale: device %u wrote to memory that the host "
			       "unmapped\n",
			       name, users[i]->device);
			failed++;
		}
	/* That is none of the guest's business. */
	for (unsigned i = 0; i < 2; i++) {
		struct iommufd_event e;

		check(!iommufd_event(users[i]->events, &e, 100),
		      "a guest got an event of the host's stage 2");
	}
	returns(iommufd_map(iommufd, g->ioas, g->memory + PART, IPA + PART, PART), 0,
		"IOMMU_IOAS_MAP");
	for (unsigned i = 0; i < 2; i++)
		check(carries(users[i], VA, page_of(a, at), 60 + i), "memory that came back");
}

/* The guest switches its CD to other tables. */
static void cd_changes(const struct user *u)
{
	uint64_t at = 200 * PAGE, other = 201 * PAGE;

	guest_maps(u->guest, TABLES_AT, VA, at);
	check(carries(u, VA, page_of(u, at), 70), "before a CD changes");
	guest_maps(u->guest, TABLES_2_AT, VA, other);
	guest_cd(u->guest, TABLES_2_AT);
	tell(u, CFGI_CD | OF_STREAM(u->name), 1);
	tell(u, NH_ASID | OF_ASID(ASID), 0);
	check(carries(u, VA, page_of(u, other), 71), "CFGI_CD: a CD's other tables are not used");
	guest_cd(u->guest, TABLES_AT);
	tell(u, CFGI_CD_ALL | OF_STREAM(u->name), 0);
	tell(u, NH_ASID | OF_ASID(ASID), 0);
	check(carries(u, VA, page_of(u, at), 72), "CFGI_CD_ALL: a CD's tables are not used again");
}

/* Another STE takes effect when the device is attached to it; what no guest may have is refused. */
static void stes(const struct user *u)
{
	static const uint64_t bad[][2] = {
		{STE_V | STE_S2, 0},
		{STE_V | STE_S2 | STE_S1, 0},          /* nested */
		{STE_V | STE_S1 | 1ull << 56, STE_W1}, /* no field */
		{STE_V | STE_S1, STE_W1 | 1ull << 25}, /* S2FWB */
		{STE_V | STE_S1, STE_W1 | 1ull << 30}, /* STRW */
		{STE_V | STE_S1 | 1ull << 55, STE_W1}, /* S1ContextPtr above the address size */
	};
	static const uint64_t silent[][2] = {{STE_V | STE_ABORT, 0}, {0, 0}, {~1ull, ~0ull}};
	uint64_t va = VA + 50 * PAGE;
	uint32_t id, queue;

	guest_maps(u->guest, TABLES_AT, va, 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int error = iommufd_nested(iommufd, u->id, u->viommu, bad[i][0], bad[i][1], &id);

		if (error != EIO) {
			printf("FAILED: %s: STE %#llx %#llx: %d, not EIO\n", name,
			       (unsigned long long)bad[i][0], (unsigned long long)bad[i][1], error);
			failed++;
		}
	}
	check(carries(u, va, page_of(u, 0), 80), "after STEs that were refused");
	returns(iommufd_nested_with_faults(iommufd, u->id, u->viommu,
					   STE_V | STE_S1 | (IPA + CD_AT), STE_W1, &id, &queue),
		0, "an STE whose page requests somebody waits for");
	returns(iommufd_attach(&vfio, u->device, id), EOPNOTSUPP, "attach to it");
	returns(iommufd_destroy(iommufd, id), 0, "its end");
	returns(iommufd_destroy(iommufd, queue), 0, "the end of a queue for page requests");
	for (unsigned i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
		returns(iommufd_nested(iommufd, u->id, u->viommu, silent[i][0], silent[i][1], &id),
			0, "an STE that aborts");
		returns(iommufd_attach(&vfio, u->device, id), 0, "attach to an STE that aborts");
		check(!reaches(u, va, page_of(u, 0)), "an STE that aborts lets DMA through");
		returns(iommufd_attach(&vfio, u->device, u->hwpt), 0,
			"attach to an STE of stage 1 again");
		returns(iommufd_destroy(iommufd, id), 0, "the end of an STE that aborts");
		check(carries(u, va, page_of(u, 0), 81 + i), "after an STE that aborts");
	}
}

/* Of a block whose last command is refused, all before it are done and counted. */
static void refused(const struct user *u, uint64_t w0, unsigned before, const char *what)
{
	uint64_t(*commands)[2] = calloc(before + 2, sizeof(*commands));
	uint64_t va = VA + 100 * PAGE, at = 40 * PAGE;
	uint32_t done = 0;

	guest_maps(u->guest, TABLES_AT, va, at);
	check(carries(u, va, page_of(u, at), 90), "before a block");
	guest_maps(u->guest, TABLES_AT, va, NO_PAGE);
	for (unsigned i = 0; i < before; i++) {
		commands[i][0] = NH_VA | OF_ASID(ASID);
		commands[i][1] = VA + 300 * PAGE;
	}
	/* The last one that is good is the one that counts. */
	commands[before - 1][1] = va;
	commands[before][0] = w0;
	commands[before + 1][0] = NH_ALL;
	returns(iommufd_invalidate(iommufd, u->viommu, commands[0], before + 2, &done), EIO, what);
	if (done != before) {
		printf("FAILED: %s: %s: %u commands are said to be done, not %u\n", name, what,
		       done, before);
		failed++;
	}
	turned_away(u, va, page_of(u, at), what);
	free(commands);
}

static void commands(const struct user *u, const struct user *other)
{
	const uint64_t good[4] = {NH_ALL, 0, 0, 0};
	uint32_t done = 9;

	refused(u, NO_COMMAND, 1, "a command that is none");
	refused(u, SYNC, 3, "CMD_SYNC");
	refused(u, CFGI_STE | OF_STREAM(u->name), 2, "CFGI_STE");
	refused(u, EL2_ALL, 1, "TLBI_EL2_ALL");
	refused(u, S2_IPA, 1, "TLBI_S2_IPA");
	refused(u, CFGI_CD | OF_STREAM(other->name), 1, "CFGI_CD of another guest's stream");
	refused(u, NO_COMMAND, 1000, "a long block");
	returns(iommufd_invalidate_as(iommufd, u->viommu, 0, 16, good, 1, &done), EINVAL,
		"commands of another type");
	check(done == 0, "commands of another type are counted");
	returns(iommufd_invalidate_as(iommufd, u->viommu, 1, 8, good, 1, &done), EINVAL,
		"entries that are too short");
	check(done == 0, "entries that are too short are counted");
	returns(iommufd_invalidate_as(iommufd, u->viommu, 1, 32, good, 1, &done), EINVAL,
		"entries that are too long");
	check(done == 0, "entries that are too long are counted");
	returns(iommufd_invalidate(iommufd, u->viommu, (const uint64_t *)PAGE, 2, &done), EFAULT,
		"commands that are not there");
	check(done == 0, "commands that are not there are counted");
	returns(iommufd_invalidate_as(iommufd, u->viommu, 1, 0, NULL, 0, &done), 0, "no command");
}

/*
 * What guest A says does not reach B's entries of the TLB. Seen by an entry that B keeps although it unmapped the page: an SMMU may
 * drop such a one at any time, but QEMU's does not, which is looked at first.
 */
static void apart(const struct user *a, const struct user *b)
{
	uint64_t va = VA + 7 * PAGE, at = 33 * PAGE;
	uint8_t *page = page_of(b, at);

	guest_maps(b->guest, TABLES_AT, va, at);
	check(carries(b, va, page, 95), "before a guest clears its own");
	guest_maps(b->guest, TABLES_AT, va, NO_PAGE);
	if (!reaches(b, va, page) || !reaches(b, va, page)) {
		printf("FAILED: %s: apart: the SMMU keeps no entries, so that nothing can be "
		       "seen\n",
		       name);
		failed++;
		return;
	}
	tell(a, NSNH_ALL, 0);
	tell(a, NH_ALL, 0);
	tell(a, NH_ASID | OF_ASID(ASID), 0);
	for (uint64_t vmid = 0; vmid < 16; vmid++)
		tell(a, NH_VA | OF_ASID(ASID) | vmid << 32, va);
	if (!reaches(b, va, page)) {
		printf("FAILED: %s: apart: commands of a guest have cleared another guest's "
		       "entries\n",
		       name);
		failed++;
	}
	tell(b, NH_VA | OF_ASID(ASID), va);
	turned_away(b, va, page, "B's own command after A's");
}

static void round_of(char **names, unsigned seed)
{
	struct guest a = {0}, b = {0};
	struct user users[DEVICES] = {
		{.guest = &a, .device = 0, .name = 0x105},
		{.guest = &b, .device = 1, .name = 0x205},
		{.guest = &a, .device = 2, .name = 0xfffffff5},
	};
	uint32_t none;

	iommufd = iommufd_open();
	memset(&vfio, 0, sizeof(vfio));
	vfio.container = -1;
	for (unsigned i = 0; i < DEVICES; i++) {
		users[i].id = iommufd_bind(iommufd, &vfio, i, names[i]);
		check(vfio_edu_start(&vfio, i), "it is no edu device");
	}
	begin_guest(&a, users[0].id);
	begin_guest(&b, users[1].id);
	for (unsigned i = 0; i < DEVICES && !failed; i++)
		begin_user(&users[i]);
	if (failed)
		return;
	returns(iommufd_vdevice(iommufd, users[0].viommu, users[2].id, 1, &none), EINVAL,
		"a vDEVICE behind another SMMU");
	returns(iommufd_destroy(iommufd, users[0].viommu), EBUSY, "the end of a vIOMMU in use");
	for (unsigned i = 0; i < DEVICES; i++)
		guest_unmaps(&users[i], seed + 10 * i);
	parent_unmaps(&users[0], &users[2]);
	cd_changes(&users[1]);
	stes(&users[2]);
	commands(&users[0], &users[1]);
	apart(&users[0], &users[1]);
	for (unsigned i = 0; i < DEVICES; i++)
		end_user(&users[i]);
	end_guest(&a);
	end_guest(&b);
	vfio_close(&vfio);
	close(iommufd);
}

int main(int argc, char **argv)
{
	unsigned rounds;

	if (argc != 3 + DEVICES)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	name = argv[1];
	rounds = (unsigned)atoi(argv[2]);
	for (unsigned r = 0; r < rounds && !failed; r++)
		round_of(argv + 3, 3 * r);
	if (!failed)
		printf("ok: %s: %u rounds: two guests, one of them behind two SMMUs: their "
		       "translations, their unmaps, the host's, events, "
		       "and what is refused\n",
		       name, rounds);
	return failed ? 1 : 0;
}
