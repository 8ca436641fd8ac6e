// SPDX-License-Identifier: BSD-2-Clause
/* /sys/kernel/debug/smmuv3: `instances` and `domains`, what the library's dumps say of each. */
#include "smmu_module.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <smmuv3/debug.h>

static struct dentry *dir;
static LIST_HEAD(domains);
/** Protects domains, and lets one dump run at a time. May sleep. */
static DEFINE_MUTEX(domains_lock);

void smmu_linux_debugfs_domain(struct smmu_linux_domain *d, bool there)
{
	mutex_lock(&domains_lock);
	if (there)
		list_add_tail(&d->link, &domains);
	else
		list_del(&d->link);
	mutex_unlock(&domains_lock);
}

static int instances_show(struct seq_file *file, void *unused)
{
	struct smmu_linux_instance *s;

	mutex_lock(&smmu_linux_lock);
	list_for_each_entry(s, &smmu_linux_instances, link)
	{
		smmu_linux_port_tell(&s->port, file);
		smmu_instance_dump(&s->inst);
		smmu_linux_port_tell(&s->port, NULL);
	}
	mutex_unlock(&smmu_linux_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(instances);

static int domains_show(struct seq_file *file, void *unused)
{
	struct smmu_linux_domain *d;

	mutex_lock(&domains_lock);
	list_for_each_entry(d, &domains, link)
	{
		seq_printf(file, "domain %u\n", d->number);
		smmu_linux_port_tell(&d->port, file);
		smmu_domain_dump(&d->smmu);
		smmu_linux_port_tell(&d->port, NULL);
	}
	mutex_unlock(&domains_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(domains);

void smmu_linux_debugfs_start(void)
{
	dir = debugfs_create_dir("smmuv3", NULL);
	debugfs_create_file("instances", 0400, dir, NULL, &instances_fops);
	debugfs_create_file("domains", 0400, dir, NULL, &domains_fops);
}

void smmu_linux_debugfs_stop(void)
{
	debugfs_remove_recursive(dir);
}
