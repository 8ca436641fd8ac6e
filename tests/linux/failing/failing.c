// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The module's parameters `fail_nth` and `allocated`. A task that writes N to the first makes its own N-th allocation from now on
 * fail, as through /proc/self/fail-nth where the kernel has that; what is read is how many are left, 0 when it has failed.
 */
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "smmu_module.h"

static struct task_struct *task;
static unsigned int left;
static atomic_long_t allocated;

bool smmu_failing_now(void)
{
	return in_task() && READ_ONCE(task) == current && left && !--left;
}

void *smmu_failing_got(void *p)
{
	if (p)
		atomic_long_inc(&allocated);
	return p;
}

void smmu_failing_freed(const void *p)
{
	if (p)
		atomic_long_dec(&allocated);
}

static int set_nth(const char *text, const struct kernel_param *p)
{
	unsigned int n;
	int error = kstrtouint(text, 0, &n);

	if (error)
		return error;
	left = n;
	WRITE_ONCE(task, n ? current : NULL);
	return 0;
}

static int get_nth(char *text, const struct kernel_param *p)
{
	return sprintf(text, "%u\n", left);
}

static int get_allocated(char *text, const struct kernel_param *p)
{
	return sprintf(text, "%ld\n", atomic_long_read(&allocated));
}

static const struct kernel_param_ops nth_ops = {.set = set_nth, .get = get_nth};
static const struct kernel_param_ops allocated_ops = {.get = get_allocated};
module_param_cb(fail_nth, &nth_ops, NULL, 0644);
module_param_cb(allocated, &allocated_ops, NULL, 0444);
