// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Data races of the module, found in a kernel that is as it is: the compiler calls the functions at the end before each access
 * (-fsanitize=thread), and the kernel's atomics tell of theirs. The method is KCSAN's (Documentation/dev-tools/kcsan.rst): one
 * access in some hundred is watched. It waits, and whoever comes by at the same address meanwhile, in another task or a handler,
 * raced with it, if one of the two writes and one of them is plain. So did whoever is not seen, if the value is another afterwards.
 *
 * Only this module's accesses are seen, inline functions of the kernel's headers among them. Orders are not looked at: a barrier
 * that is missing is not found; an access that should have been atomic is.
 */
#include <linux/delay.h>
#include <linux/instruction_pointer.h>
#include <linux/kcsan-checks.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>

#include "races.h"

#define MOST_SLOTS 64u
#define LINE_SHIFT 6
#define MOST_BYTES 16u
#define DEPTH 16u
#define MOST_PAIRS 64u

/* What is watched, in one word; 0 nothing. Of kernel addresses the low 47 bits tell. */
#define ADDRESS(key) ((key) & (BIT(47) - 1))
#define SIZE(key) ((key) >> 47 & 31)
#define WRITES BIT(52)
#define PLAIN BIT(53)
#define CAUGHT (~0ul)

struct other {
	unsigned long at; /* of the program */
	unsigned long stack[DEPTH];
	unsigned int depth;
	bool write, plain, there;
};

static atomic_long_t slots[MOST_SLOTS];
static struct other others[MOST_SLOTS]; /* of a slot that is CAUGHT: who came by */
static DEFINE_PER_CPU(int, to_skip);
static DEFINE_PER_CPU(u32, seed);
static atomic_long_t seen[MOST_PAIRS];
static atomic_long_t watched, found;

static unsigned int interval = 100;
module_param_named(races_interval, interval, uint, 0644);
MODULE_PARM_DESC(races_interval, "one plain access in so many is watched");

static int get_watched(char *text, const struct kernel_param *p)
{
	return sprintf(text, "%ld\n", atomic_long_read(&watched));
}

static int get_found(char *text, const struct kernel_param *p)
{
	return sprintf(text, "%ld\n", atomic_long_read(&found));
}

static const struct kernel_param_ops watched_ops = {.get = get_watched},
				     found_ops = {.get = get_found};
module_param_cb(races_watched, &watched_ops, NULL, 0444);
module_param_cb(races_found, &found_ops, NULL, 0444);

static unsigned long key_of(unsigned long at, size_t size, int type)
{
	return ADDRESS(at) | size << 47 | (type & KCSAN_ACCESS_WRITE ? WRITES : 0) |
	       (type & KCSAN_ACCESS_ATOMIC ? 0 : PLAIN);
}

static unsigned int slot_of(unsigned long at)
{
	return at >> LINE_SHIFT & (MOST_SLOTS - 1);
}

/** Is something watched that this access, from @ip, races with? Then its watcher hears of it. */
static void look(unsigned int slot, unsigned long at, size_t size, int type, unsigned long ip)
{
	unsigned long key = atomic_long_read(&slots[slot]);
	struct other *o = &others[slot];

	if (likely(!key) || key == CAUGHT || ADDRESS(at) >= ADDRESS(key) + SIZE(key) ||
	    ADDRESS(key) >= ADDRESS(at) + size)
		return;
	if (!(key & WRITES) && !(type & KCSAN_ACCESS_WRITE))
		return;
	if (!(key & PLAIN) && type & KCSAN_ACCESS_ATOMIC)
		return;
	if (atomic_long_cmpxchg(&slots[slot], key, CAUGHT) != key)
		return;
	o->at = ip;
	o->depth = stack_trace_save(o->stack, DEPTH, 0);
	o->write = type & KCSAN_ACCESS_WRITE;
	o->plain = !(type & KCSAN_ACCESS_ATOMIC);
	smp_store_release(&o->there, true);
}

static u64 value_at(const volatile void *at, size_t size)
{
	switch (size) {
	case 1:
		return READ_ONCE(*(const u8 *)at);
	case 2:
		return READ_ONCE(*(const u16 *)at);
	case 4:
		return READ_ONCE(*(const u32 *)at);
	case 8:
		return READ_ONCE(*(const u64 *)at);
	default:
		return 0;
	}
}

/** Nothing is told twice. */
static bool is_new(unsigned long pair)
{
	unsigned int i;

	for (i = 0; i < MOST_PAIRS; i++) {
		unsigned long was = atomic_long_cmpxchg(&seen[i], 0, pair);

		if (!was)
			return true;
		if (was == pair)
			return false;
	}
	return false;
}

/** Who called whoever is at @ip. */
static void tell_stack(const unsigned long *stack, unsigned int depth, unsigned long ip)
{
	unsigned int i = 0;

	while (i < depth && stack[i] != ip)
		i++;
	for (i++; i < depth; i++)
		pr_err("data race:   %pS\n", (void *)stack[i]);
}

static void tell(const volatile void *at, size_t size, int type, unsigned long ip,
		 const struct other *o, u64 before, u64 after)
{
	unsigned long stack[DEPTH];

	atomic_long_inc(&found);
	if (!is_new(ip ^ (o ? o->at << 16 : 0)))
		return;
	pr_err("BUG: data race: a plain %s of %zu bytes at %px in %pS\n",
	       type & KCSAN_ACCESS_WRITE ? "write" : "read", size, at, (void *)ip);
	tell_stack(stack, stack_trace_save(stack, DEPTH, 0), ip);
	if (o) {
		pr_err("data race: and %s %s in %pS\n", o->plain ? "a plain" : "an atomic",
		       o->write ? "write" : "read", (void *)o->at);
		tell_stack(o->stack, o->depth, o->at);
	} else {
		pr_err("data race: and somebody who was not seen: it was %#llx, and is %#llx\n",
		       before, after);
	}
}

/** Puts the access from @ip under watch for some microseconds. */
static void watch(const volatile void *at, size_t size, int type, unsigned long ip)
{
	unsigned int slot = slot_of((unsigned long)at), tries;
	unsigned long key = key_of((unsigned long)at, size, type);
	bool patient = in_task() && !irqs_disabled();
	u32 random = this_cpu_read(seed) * 1664525 + 1013904223;
	struct other *o = &others[slot];
	u64 before, after;

	this_cpu_write(seed, random);
	this_cpu_write(to_skip, interval + (random >> 16) % (interval + 1));
	/* A slot whose watcher has not heard yet is not free. */
	if (o->there || atomic_long_cmpxchg(&slots[slot], 0, key))
		return;
	before = value_at(at, size);
	udelay(1 + (random >> 8) % (patient ? 80 : 20));
	after = value_at(at, size);
	atomic_long_inc(&watched);
	if (atomic_long_cmpxchg(&slots[slot], key, 0) == key) {
		if (before != after)
			tell(at, size, type, ip, NULL, before, after);
		return;
	}
	/* Whoever came by is about to say where it was. */
	for (tries = 0; tries < 1000000 && !smp_load_acquire(&o->there); tries++)
		udelay(1);
	if (o->there)
		tell(at, size, type, ip, o, before, after);
	o->there = false;
	atomic_long_set_release(&slots[slot], 0);
}

static void check(const volatile void *at, size_t size, int type, unsigned long ip)
{
	unsigned int first, last;

	/* Nearly all accesses are a task's to its own stack: of what others may have there, they are asked. */
	if (object_is_on_stack((const void *)at))
		return;
	/* A longer one is not watched as a whole, but looked for along all of it. */
	for (; size > MOST_BYTES; at += 8, size -= 8)
		look(slot_of((unsigned long)at), (unsigned long)at, 8, type, ip);
	first = slot_of((unsigned long)at);
	last = slot_of((unsigned long)at + size - 1);
	look(first, (unsigned long)at, size, type, ip);
	if (unlikely(first != last))
		look(last, (unsigned long)at, size, type, ip);
	if (type & (KCSAN_ACCESS_ATOMIC | KCSAN_ACCESS_ASSERT))
		return;
	/* Not twice at once on a processor: a handler that comes meanwhile has nothing watched of its own. */
	preempt_disable();
	if (this_cpu_dec_return(to_skip) < 0)
		watch(at, size, type, ip);
	preempt_enable();
}

void smmu_races_check(const volatile void *at, size_t size, int type)
{
	check(at, size, type, _RET_IP_);
}

/* ---- what the compiler calls ---- */

#define ACCESS(name, bytes, type)                 \
	void __tsan_##name(void *at);             \
	void __tsan_##name(void *at)              \
	{                                         \
		check(at, bytes, type, _RET_IP_); \
	}
/* READ_ONCE and WRITE_ONCE are volatile, and as good as atomic. */
#define ACCESSES(n)                                                                             \
	ACCESS(read##n, n, 0)                                                                   \
	ACCESS(write##n, n, KCSAN_ACCESS_WRITE)                                                 \
	ACCESS(read_write##n, n, KCSAN_ACCESS_WRITE | KCSAN_ACCESS_COMPOUND)                    \
	ACCESS(unaligned_read##n, n, 0)                                                         \
	ACCESS(unaligned_write##n, n, KCSAN_ACCESS_WRITE)                                       \
	ACCESS(unaligned_read_write##n, n, KCSAN_ACCESS_WRITE | KCSAN_ACCESS_COMPOUND)          \
	ACCESS(volatile_read##n, n, (n) <= 8 ? KCSAN_ACCESS_ATOMIC : 0)                         \
	ACCESS(volatile_write##n, n, KCSAN_ACCESS_WRITE | ((n) <= 8 ? KCSAN_ACCESS_ATOMIC : 0)) \
	ACCESS(unaligned_volatile_read##n, n, 0)                                                \
	ACCESS(unaligned_volatile_write##n, n, KCSAN_ACCESS_WRITE)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void *at, size_t size);
void __tsan_read_range(void *at, size_t size)
{
	check(at, size, 0, _RET_IP_);
}

void __tsan_write_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size)
{
	check(at, size, KCSAN_ACCESS_WRITE, _RET_IP_);
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_vptr_read(void **at);
void __tsan_vptr_read(void **at)
{
}

/* The compiler's atomics come here in place of their instructions. */
#define RMW (KCSAN_ACCESS_ATOMIC | KCSAN_ACCESS_WRITE | KCSAN_ACCESS_COMPOUND)
#define RENAMED(bits, name, builtin)                                                 \
	u##bits __tsan_atomic##bits##_##name(u##bits *at, u##bits value, int order); \
	u##bits __tsan_atomic##bits##_##name(u##bits *at, u##bits value, int order)  \
	{                                                                            \
		check(at, bits / 8, RMW, _RET_IP_);                                  \
		return builtin(at, value, __ATOMIC_SEQ_CST);                         \
	}
#define ATOMICS(bits)                                                                    \
	u##bits __tsan_atomic##bits##_load(const u##bits *at, int order);                \
	u##bits __tsan_atomic##bits##_load(const u##bits *at, int order)                 \
	{                                                                                \
		check(at, bits / 8, KCSAN_ACCESS_ATOMIC, _RET_IP_);                      \
		return __atomic_load_n(at, __ATOMIC_SEQ_CST);                            \
	}                                                                                \
	void __tsan_atomic##bits##_store(u##bits *at, u##bits value, int order);         \
	void __tsan_atomic##bits##_store(u##bits *at, u##bits value, int order)          \
	{                                                                                \
		check(at, bits / 8, KCSAN_ACCESS_ATOMIC | KCSAN_ACCESS_WRITE, _RET_IP_); \
		__atomic_store_n(at, value, __ATOMIC_SEQ_CST);                           \
	}                                                                                \
	RENAMED(bits, exchange, __atomic_exchange_n)                                     \
	RENAMED(bits, fetch_add, __atomic_fetch_add)                                     \
	RENAMED(bits, fetch_sub, __atomic_fetch_sub)
ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
}
