/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU: what the guest's instructions between two marks are. The marks are hints of AArch64 that mean nothing: HINT #88
 * begins a window whose number, 0 to 7, is in x9; HINT #89 ends it (tests/linux/guest/vfio_bench.c).
 *
 * usage: qemu-system-aarch64 … -plugin file=count.so,out=FILE      (one processor)
 *
 * For each window FILE has a line "window NUMBER INSTRUCTIONS MASKED LONGEST WRITES COMMANDS": instructions in all, those with
 * interrupts masked (PSTATE.I), most of those in a row, writes to SMMU_CMDQ_PROD of all SMMUs, and the commands that those
 * published, -1 where the index wrapped around. At the end come lines "block NUMBER ADDRESS INSTRUCTIONS MASKED": the same by the
 * address of each translated block, summed up over all windows of that number.
 *
 * QEMU's package brings no header, so what is used of its plugin interface, version 7, is declared here. What is masked changes
 * between blocks only: QEMU ends one behind each instruction that does it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HINT(n) (0xd503201fu | (n) << 5)
#define BEGIN HINT(88u)
#define END HINT(89u)
#define PSTATE_I 0x80u
#define CMDQ_PROD 0x98u
/* The index and its wrap bit; the rest of the register is RES0 (IHI 0070, 6.3.27). */
#define PROD_MASK 0xfffffu
#define SMMUS 8u
#define WINDOWS 8u

enum { NO_REGISTERS, READS_REGISTERS };
enum { MEMORY_WRITE = 2 };
enum { UNEQUAL = 3 };

struct info {
	const char *target;
	struct {
		int oldest, current;
	} version;
};

struct board_u64 {
	void *board;
	size_t offset;
};

struct value {
	int type;
	union {
		uint32_t u32;
		uint64_t u64;
		uint64_t u128[2];
	};
};

struct descriptor {
	void *handle;
	const char *name, *feature;
	bool readonly;
};

/* GLib's, which QEMU brings. */
struct array {
	void *data;
	unsigned length;
};

typedef void with_data(unsigned vcpu, void *data);
typedef void with_memory(unsigned vcpu, uint32_t info, uint64_t address, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*fn)(void *, void *, void *),
					   void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*fn)(void *), void *data);
void qemu_plugin_register_vcpu_tb_exec_cond_cb(void *tb, with_data *fn, int flags, int condition,
					       struct board_u64 entry, uint64_t value, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(void *insn, with_data *fn, int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(void *insn, with_memory *fn, int flags, int rw, void *data);
size_t qemu_plugin_tb_n_insns(const void *tb);
uint64_t qemu_plugin_tb_vaddr(const void *tb);
void *qemu_plugin_tb_get_insn(const void *tb, size_t i);
size_t qemu_plugin_insn_data(const void *insn, void *to, size_t size);
void *qemu_plugin_get_hwaddr(uint32_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const void *address);
uint64_t qemu_plugin_hwaddr_phys_addr(const void *address);
const char *qemu_plugin_hwaddr_device_name(const void *address);
struct value qemu_plugin_mem_get_value(uint32_t info);
struct array *qemu_plugin_get_registers(void);
bool qemu_plugin_read_register(void *handle, struct array *into);
void *qemu_plugin_scoreboard_new(size_t size);
void qemu_plugin_u64_set(struct board_u64 entry, unsigned vcpu, uint64_t value);
struct array *g_byte_array_new(void);

__attribute__((visibility("default"))) int qemu_plugin_version = 7;

struct block {
	struct block *next;
	uint64_t address;
	unsigned size;
	uint64_t run[WINDOWS], masked[WINDOWS];
};

struct window {
	unsigned number;
	uint64_t run, masked, longest, row, writes;
	int64_t commands;
};

static struct block *blocks;
static struct board_u64 active;
static struct window now;
static struct array *bytes;
static void *cpsr, *x9;
static struct {
	uint64_t address;
	uint32_t prod;
} smmus[SMMUS];
static FILE *out;

static uint64_t read_register(void *handle)
{
	uint64_t value = 0;

	bytes->length = 0;
	if (!handle || !qemu_plugin_read_register(handle, bytes)) {
		fprintf(stderr, "count: a register cannot be read\n");
		exit(1);
	}
	memcpy(&value, bytes->data, bytes->length < sizeof(value) ? bytes->length : sizeof(value));
	return value;
}

static void find_registers(void)
{
	const struct array *all = qemu_plugin_get_registers();
	const struct descriptor *d = all->data;

	bytes = g_byte_array_new();
	for (unsigned i = 0; i < all->length; i++) {
		if (!strcmp(d[i].name, "cpsr"))
			cpsr = d[i].handle;
		else if (!strcmp(d[i].name, "x9"))
			x9 = d[i].handle;
	}
}

static void begin(unsigned vcpu, void *data)
{
	(void)data;
	if (!bytes)
		find_registers();
	now = (struct window){.number = (unsigned)read_register(x9) % WINDOWS};
	qemu_plugin_u64_set(active, vcpu, 1);
}

static void end(unsigned vcpu, void *data)
{
	(void)data;
	qemu_plugin_u64_set(active, vcpu, 0);
	fprintf(out, "window %u %llu %llu %llu %llu %lld\n", now.number,
		(unsigned long long)now.run, (unsigned long long)now.masked,
		(unsigned long long)now.longest, (unsigned long long)now.writes,
		(long long)now.commands);
}

static void run(unsigned vcpu, void *data)
{
	struct block *b = data;
	bool masked = read_register(cpsr) & PSTATE_I;

	(void)vcpu;
	now.run += b->size;
	b->run[now.number] += b->size;
	if (!masked) {
		now.row = 0;
		return;
	}
	now.masked += b->size;
	b->masked[now.number] += b->size;
	now.row += b->size;
	if (now.longest < now.row)
		now.longest = now.row;
}

/* Of every SMMU the last index is known, whoever wrote it. */
static void store(unsigned vcpu, uint32_t info, uint64_t address, void *data)
{
	uint32_t value, *prod;
	const void *physical;
	uint64_t base;
	unsigned i;

	(void)vcpu;
	(void)data;
	if ((address & 0xfff) != CMDQ_PROD)
		return;
	physical = qemu_plugin_get_hwaddr(info, address);
	if (!physical || !qemu_plugin_hwaddr_is_io(physical) ||
	    !strstr(qemu_plugin_hwaddr_device_name(physical), "smmuv3"))
		return;
	base = address & ~(uint64_t)0xfff;
	for (i = 0; i < SMMUS - 1 && smmus[i].address && smmus[i].address != base; i++)
		;
	smmus[i].address = base;
	prod = &smmus[i].prod;
	value = qemu_plugin_mem_get_value(info).u32 & PROD_MASK;
	now.writes++;
	if (value < *prod)
		now.commands = -1;
	else if (now.commands >= 0)
		now.commands += value - *prod;
	*prod = value;
}

/* In version 7 it is (block, data), in those before (id, block): DATA says which. */
static void translated(void *first, void *second, void *third)
{
	const void *tb = second == &blocks ? first : second;
	struct block *b = calloc(1, sizeof(*b));
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)third;
	if (!b)
		exit(1);
	*b = (struct block){
		.next = blocks, .address = qemu_plugin_tb_vaddr(tb), .size = (unsigned)n};
	blocks = b;
	qemu_plugin_register_vcpu_tb_exec_cond_cb((void *)(uintptr_t)tb, run, READS_REGISTERS,
						  UNEQUAL, active, 0, b);
	for (size_t i = 0; i < n; i++) {
		void *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t code = 0;

		qemu_plugin_insn_data(insn, &code, sizeof(code));
		if (code == BEGIN)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, READS_REGISTERS, NULL);
		else if (code == END)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, NO_REGISTERS, NULL);
		else if (b->address >> 63 && ((code & 0xffc00000u) == 0xb9000000u ||
					      (code & 0xffe00c00u) == 0xb8000000u))
			/* STR of 32 bits, in the kernel */
			qemu_plugin_register_vcpu_mem_cb(insn, store, NO_REGISTERS, MEMORY_WRITE,
							 NULL);
	}
}

static void finish(void *data)
{
	(void)data;
	for (const struct block *b = blocks; b; b = b->next)
		for (unsigned w = 0; w < WINDOWS; w++)
			if (b->run[w])
				fprintf(out, "block %u %#llx %llu %llu\n", w,
					(unsigned long long)b->address,
					(unsigned long long)b->run[w],
					(unsigned long long)b->masked[w]);
	fclose(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const struct info *info,
							       int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) || !(out = fopen(argv[0] + 4, "w"))) {
		fprintf(stderr, "count: wants out=FILE\n");
		return 1;
	}
	active.board = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated, &blocks);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
