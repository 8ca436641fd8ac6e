# SPDX-License-Identifier: BSD-2-Clause
"""Boots of run.py on machines that differ from the usual ones: other devices, other words of their firmware."""
import base64
import os
import re

import trees
from guest import cpio

# Memory that a device has from firmware; under ACPI what is set aside for crashes keeps the kernel out of it.
MEMORY = 0x70000000
SIZE = 0x10000
EDU_SLOT = 2
EDU = EDU_SLOT << 3

# As run.py's.
BOOTS = {
    'message': ('one', 'where,message', '', ['message'], False, 'the SMMU\'s interrupts are messages'),
    'reserved': ('one', 'where,reserved', f'early=busy direct=1 memory={MEMORY:#x}', ['reserved'], True,
                 'a device is busy in memory of its own before the module comes (device tree)'),
    'rmr': ('two', 'where,reserved', f'early=busy memory={MEMORY:#x}', ['reserved'], False,
            'the same by an RMR node of the IORT'),
    'sleep': ('one', 'io,sleeps,io', 'opt=dyndbg==p+stage=2', ['sleep', 'nvme', 'virtio-blk'], False,
              'suspend to idle, with stage=2; the SMMU is off meanwhile, and both disks go on afterwards'),
    'kexec': ('one', 'where,kexec', '', ['kexec', 'nvme', 'virtio-blk'], False,
              'another kernel is started in an orderly way: it finds the SMMU disabled, and uses both disks'),
    'ats': ('one', 'where,ats,silent', 'opt=disable_msi=1+stats=1', ['ats', 'silent'], False,
            'a driver that believes in ATS, and a function that has it: on, invalidated, off and on around a reset, cut off'),
    'always': ('one', 'where,always,io', 'early=keep_ats opt=disable_msi=1+ats_always=1 type_wanted=identity',
               ['always', 'nvme', 'virtio-blk'], False, 'ATS in identity domains, ats_always=1; both disks in theirs'),
    'nested': ('two', 'where,nested,kept', 'rounds=2', ['nested', 'kept'], False,
               'guests with SMMUs of their own, through iommufd; one guest behind two SMMUs; rmmod with a domain left'),
    'unnested': ('two', 'where,nested', 'rounds=1', ['caught'], False, 'our module with guests\' TLBIs that miss is caught'),
    'races': ('one', 'looked,where,io,vfio,irq,races', 'rounds=1', ['nvme', 'virtio-blk', 'vfio', 'irq', 'races'], False,
              'our module looks for data races in itself: one SMMU, unmaps from hard interrupts, dumps all the time'),
    'races2': ('two', 'looked,where,io,vfio,shared,races,reload,races', 'rounds=1',
               ['nvme', 'virtio-blk', 'vfio', 'shared', 'gone-nvme', 'gone-virtio-blk', 'reload', 'races'], False,
               'the same: two SMMUs, devices that come and go'),
    'raced': ('one', 'looked,where,io,irq,races', '', ['caught'], False, 'our module with a data race is caught'),
    'bridge': ('one', 'where,bridge', '', ['bridge'], True, 'two devices behind a bridge have one stream'),
}

# What they load in place of our driver as it is.
DRIVERS = {'message': 'believes', 'ats': 'believes', 'always': 'believes', 'unnested': 'unnested', 'races': 'races', 'races2': 'races',
           'raced': 'raced'}

# They take a kernel with iommufd.
NESTED = ('nested', 'unnested')
# Not chosen unless they are named: make test-linux-debug does.
RACES = ('races', 'races2', 'raced')


def machine(name, line, work):
    """QEMU's command line LINE for the boot NAME."""
    if name == 'bridge':
        line = line + ['-device', 'pcie-pci-bridge,id=bridge,bus=pcie.0,addr=6.0']
        for slot in (1, 2):
            line += ['-device', f'edu,bus=bridge,addr={slot}.0,dma_mask=0xffffffffffffffff']
    if name in NESTED:
        line = [word + ',stage=nested' if word.startswith('arm-smmuv3,') else word for word in line]
        line += ['-device', 'edu,bus=pcie.0,addr=6.0,dma_mask=0xffffffffffffffff']
    if name in ('ats', 'always', 'message'):
        line = line + ['-device', 'pcie-root-port,id=rp0,bus=pcie.0,chassis=1,slot=1,addr=6.0',
                       '-device', 'virtio-blk-pci,bus=rp0,disable-legacy=on,iommu_platform=on,ats=on,drive=more',
                       '-drive', f'file={work}/more.img,if=none,id=more,format=raw']
        with open(os.path.join(work, 'more.img'), 'wb') as f:
            f.truncate(SIZE)
    if name == 'kexec':
        # With addresses of 52 bits Debian's 6.12 makes a mistake of its own when a kernel is loaded for that.
        line = ['cortex-a76' if word == 'max' else word for word in line]
    if name in ('message', 'reserved', 'ats', 'always'):
        root = trees.machine_tree(line, os.path.join(work, 'dtb'))
        if name == 'message':
            # A write by edu's own engine has no name, which QEMU takes for 0.
            trees.with_messages(root, 0)
        elif name != 'reserved':
            root.find('pcie').properties['ats-supported'] = b''
        else:
            trees.with_memory(root, EDU_SLOT, MEMORY, SIZE)
        with open(os.path.join(work, 'dtb'), 'wb') as f:
            f.write(trees.write_tree(root))
        line = line + ['-dtb', os.path.join(work, 'dtb')]
    return line


def other_iort(name, text):
    """
    What goes before an initial RAM disk, so that the kernel finds another IORT: with an RMR node more, or root complexes that keep
    devices coherent. TEXT is a console with the IORT.
    """
    found = re.search(r'^iort: (\S+)', text, re.M)
    if not found:
        return b''
    table = base64.b64decode(found.group(1))
    table = trees.with_canwbs(table) if name in NESTED else trees.with_rmr(table, 0, EDU, MEMORY, SIZE)
    folders = ['kernel', 'kernel/firmware', 'kernel/firmware/acpi']
    return cpio([(folder, 0o40755, b'') for folder in folders] + [('kernel/firmware/acpi/iort.aml', 0o100644, table)])
