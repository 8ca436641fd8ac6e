#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the UEFI driver on stock firmware, and judges what the boots say.

usage: tests/uefi/run.py [--build DIR] [--keep] [BOOT…]

  --build DIR   where ports/uefi/build.sh put the images, and where the logs go (build-uefi)
  --keep        leave disks and volumes for a look
  BOOT          some of the boots below; default: all

Each boot is QEMU's machine "virt" with NVMe, virtio, USB and a device that does DMA as it is told (iommu-testdev) behind each of two
SMMUs. tests/uefi/main.c is what it starts. Exit status: 0 all is well, 1 something failed, 77 no QEMU or firmware here.
"""
import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
from guest import TOP, console, cpio, fetched

MIB = 1 << 20
DISKS = 5
PATTERN_END = 4 * MIB
WRITE_AT = 8 * MIB
WRITTEN = 0x4000 + MIB + MIB // 2
RESERVED_STREAM = 0x38  # the first rogue: bus 0, slot 7

# name: (mode of tests/uefi/main.c, images, most seconds, what it is)
BOOTS = {
    'tests': ('tdax0', 'exact', 150, 'protocol, rogues, disks; then nothing passes'),
    'kernel': ('k0', 'exact', 150, "Debian's kernel, handed over"),
    'flush': ('l0', 'flush', 100, 'the same files read, everything flushed at each unmap'),
    'shared': ('tdsx1r', 'exact', 150, 'one space for all, reserved memory; then bypass'),
    'keep': ('x2r', 'exact', 100, 'reserved memory; then adopted'),
    'none': ('nd', 'exact', 100, 'no SMMU, and tables that are wrong'),
}

# What smmuv3.efi has to show on that machine.
SHOWN = [r'^smmu1 at 0xc020000 coherent, streams: \d+$', r'^  ids 0x800 to 0xcff are streams from 0x800 of smmu1$',
         r'^0000:09:00\.0 space \d+, maps [1-9]\d+$', r'^smmu0 stream 0x38 space \d+$', r'^  smmu0 S1_ASID id \d+ users 1$',
         r'^unmaps: [1-9]\d+$', r'^smmu0@0xc000000: commands [1-9]\d+, ', r'^events: [1-9]\d+$',
         r'F_TRANSLATION .*SID=0x38', r'^  CR0 .*SMMUEN', r'^  stream 0x38: STE .*V=', r'^    CD .*ASID=', r'CMD_SYNC',
         r'^smmu1@0xc020000: up: ']

INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc p /proc; $b mount -t sysfs s /sys; $b mount -t devtmpfs d /dev
echo "initrd: up"
n=0
while [ $n -lt 20 ] && ! { [ -b /dev/nvme0n1 ] && [ -b /dev/nvme1n1 ]; }; do $b sleep 0.5; n=$((n + 1)); done
for d in nvme0n1 nvme1n1; do
	echo "initrd: sectors=$($b cat /sys/block/$d/size) sum=$($b dd if=/dev/$d bs=65536 count=64 2>/dev/null | $b sha256sum | $b cut -c 1-64)"
done
$b dmesg | $b grep -c 'Adding to iommu group' | $b sed 's/^/initrd: groups=/'
$b dmesg | $b grep -i 'arm-smmu-v3.*\\(event\\|error\\|timeout\\)' | $b sed 's/^/initrd: fault /'
echo "initrd: done"
$b poweroff -f
"""


def say(text):
    print(text, flush=True)


def words(disk):
    return b''.join(struct.pack('<Q', (disk + 1) << 56 | at) for at in range(0, PATTERN_END, 8))


def make_disk(path, disk):
    with open(path, 'wb') as f:
        f.write(words(disk))
        f.truncate((32 + disk) * MIB)


def disk_has_writes(path, disk):
    with open(path, 'rb') as f:
        good = f.read(PATTERN_END) == words(disk)
        f.seek(WRITE_AT)
        data = f.read(0x4000 + MIB + MIB // 2)
    want = b''.join(struct.pack('<Q', (disk + 1 + 0x80) << 56 | at) for at in range(WRITE_AT, WRITE_AT + WRITTEN, 8))
    return good and data == want


def initrd(cache):
    busybox = open(os.path.join(cache, 'busybox'), 'rb').read()
    folders = [(n, 0o40755, b'') for n in ('bin', 'proc', 'sys', 'dev')]
    return cpio(folders + [('init', 0o100755, INIT.encode()), ('bin/busybox', 0o100755, busybox)])


def command_line(qemu, firmware, work, smmus):
    line = [qemu, '-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '1G', '-nodefaults', '-display', 'none',
            '-serial', 'stdio', '-no-reboot',
            '-drive', f'if=pflash,format=raw,unit=0,readonly=on,file={firmware}/code.fd',
            '-device', 'pxb-pcie,id=pcie.1,bus_nr=8,bus=pcie.0,addr=3.0']
    if smmus:
        line += ['-device', 'arm-smmuv3,primary-bus=pcie.0,id=smmu0', '-device', 'arm-smmuv3,primary-bus=pcie.1,id=smmu1']
    for i in range(4):
        line += ['-device', f'pcie-root-port,id=rp{i},bus=pcie.1,chassis={i + 1},slot={i + 1},addr={i}.0']
    # The volume that everything is started from is behind an SMMU too.
    line += ['-drive', f'file=fat:{work}/esp,format=raw,if=none,id=esp,readonly=on',
             '-device', 'virtio-blk-pci,drive=esp,bus=pcie.0,addr=5.0,bootindex=0,disable-legacy=on,iommu_platform=on']
    for i, device in enumerate(['nvme,serial=a,bus=pcie.0,addr=2.0', 'nvme,serial=b,bus=rp0',
                                'virtio-blk-pci,bus=pcie.0,addr=6.0,disable-legacy=on,iommu_platform=on',
                                'virtio-blk-pci,bus=rp1,disable-legacy=on,iommu_platform=on']):
        line += ['-drive', f'file={work}/disk{i}.img,if=none,id=d{i},format=raw', '-device', f'{device},drive=d{i}']
    # A driver of another kind: rings in memory that stay mapped, and a stack of drivers above.
    line += ['-device', 'qemu-xhci,id=usb,bus=rp3', '-drive', f'file={work}/disk4.img,if=none,id=d4,format=raw',
             '-device', 'usb-storage,bus=usb.0,drive=d4']
    line += ['-device', 'iommu-testdev,bus=pcie.0,addr=7.0', '-device', 'iommu-testdev,bus=rp2']
    # What QEMU's SMMUs were told, as they saw it.
    return line + ['-trace', 'smmuv3_write_mmio', '-trace', 'smmuv3_cmdq_opcode', '-trace', 'smmuv3_cmdq_cfgi_ste',
                   '-D', f'{work}/trace']


def boot(name, args, qemu, firmware):
    mode, images, limit, _ = BOOTS[name]
    work = os.path.join(args.build, 'boot-' + name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, 'esp', 'EFI', 'BOOT'))
    esp = os.path.join(work, 'esp')
    shutil.copy(os.path.join(args.build, 'test', 'BOOTAA64.EFI'), os.path.join(esp, 'EFI', 'BOOT'))
    shutil.copy(os.path.join(args.build, images, 'SmmuV3Dxe.efi'), esp)
    shutil.copy(os.path.join(args.build, images, 'smmuv3.efi'), esp)
    open(os.path.join(esp, 'mode'), 'w', encoding='ascii').write(mode)
    if 'k' in mode or 'l' in mode:
        os.symlink(os.path.join(firmware, 'vmlinuz'), os.path.join(esp, 'vmlinuz'))
        open(os.path.join(esp, 'initrd'), 'wb').write(initrd(firmware))
    for i in range(DISKS):
        make_disk(os.path.join(work, f'disk{i}.img'), i)
    log = os.path.join(args.build, name + '.log')
    start = time.monotonic()
    with open(log, 'wb') as out:
        line = ['nice', '-n', '5'] + command_line(qemu, firmware, work, 'n' not in mode)
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        try:
            process.wait(limit)
            ended = process.returncode == 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            ended = False
    with open(log, 'rb') as f:
        text = console(f.read())
    return judge(name, text, ended, work, time.monotonic() - start)


def judge(name, text, ended, work, seconds):
    mode = BOOTS[name][0]
    ok = len(re.findall(r'^ok: ', text, re.M))
    wrong = re.findall(r'^FAILED: .*(?:\n  status.*)?', text, re.M)
    if not ended:
        wrong.append('it did not end by itself: see the log')
    if 'xception' in text:
        wrong.append('an exception of the processor')
    if 'k' in mode:
        for disk, found in enumerate(sorted(re.findall(r'^initrd: sectors=(\d+) sum=(\w+)', text, re.M))):
            import hashlib
            ok += 1
            if found != (str((32 + disk) * 2048), hashlib.sha256(words(disk)).hexdigest()):
                wrong.append(f'the kernel reads other data from disk {disk}')
        groups = re.search(r'^initrd: groups=(\d+)', text, re.M)
        if 'initrd: done' not in text or not groups or int(groups.group(1)) < 2:
            wrong.append('the kernel did not come up with its own SMMU driver')
        wrong += re.findall(r'^initrd: fault .*', text, re.M)
        ok += 1
    elif 'uefi-test: 0 failed' not in text:
        wrong.append('the tests did not come to their end')
    if 'd' in mode:
        for i in range(DISKS):
            ok += 1
            if not disk_has_writes(os.path.join(work, f'disk{i}.img'), i):
                wrong.append(f'disk {i} does not have what was written')
    if 'r' in mode:
        ok += 1
        wrong += judge_reserved(work)
    stats = {}
    for when, line in re.findall(r'^stats (\w+) (.*)', text, re.M):
        stats[when] = {k: int(v) for k, v in re.findall(r'(\w+)=(\d+)', line)}
    for shape in SHOWN if 'a' in mode else []:
        ok += 1
        if not re.search(shape, text, re.M):
            wrong.append(f'smmuv3.efi does not show {shape}')
    if 'l' in mode:
        # Our count of commands and QEMU's.
        ok += 1
        theirs = sum(what == 'command' for what, _ in told(work))
        if theirs != total(stats, 'loaded'):
            wrong.append(f'QEMU counts {theirs} commands, the driver {total(stats, "loaded")}')
    say(f'{"FAIL" if wrong else "PASS"} {name}: {BOOTS[name][3]} ({ok} checks, {seconds:.0f} s)')
    for line in wrong:
        say('  ' + line.replace('\n', '\n  '))
    return not wrong, stats


def told(work):
    """What QEMU's SMMUs were told, in order: pairs of what and its number."""
    found = []
    for line in open(os.path.join(work, 'trace'), encoding='ascii', errors='replace'):
        mmio = re.match(r'smmuv3_write_mmio addr: 0x(\w+) val:0x(\w+)', line)
        ste = re.match(r'smmuv3_cmdq_cfgi_ste streamid= 0x(\w+)', line)
        if mmio:
            found.append((int(mmio.group(1), 16), int(mmio.group(2), 16)))
        elif ste:
            found.append(('ste', int(ste.group(1), 16)))
        elif line.startswith('smmuv3_cmdq_opcode'):
            found.append(('command', 0))
    return found


def judge_reserved(work):
    """The stream with reserved memory has its STE before its SMMU is enabled, and until then all traffic passes."""
    trace = told(work)
    ste = [i for i, e in enumerate(trace) if e == ('ste', RESERVED_STREAM)]
    enabled = [i for i, (what, value) in enumerate(trace) if what == 0x20 and value & 1]
    aborting = [i for i, (what, value) in enumerate(trace) if what == 0x44 and value >> 20 & 1]
    # The other SMMU has nothing reserved: it aborts first of all, and is enabled first.
    fine = len(ste) > 0 and len(enabled) > 1 and enabled[0] < ste[0] < enabled[1] and \
        sum(i < enabled[1] for i in aborting) == 1
    return [] if fine else ['reserved memory was not mapped before SMMUEN']


def total(stats, when):
    return sum(v for k, v in stats.get(when, {}).items() if k.startswith('commands'))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default=os.path.join(TOP, 'build-uefi'))
    parser.add_argument('--keep', action='store_true')
    parser.add_argument('boots', nargs='*')
    args = parser.parse_args()
    chosen = args.boots or list(BOOTS)
    if not set(chosen) <= set(BOOTS):
        parser.error('boots are: ' + ' '.join(BOOTS))
    qemu, firmware = fetched('fetch-qemu.sh'), fetched('fetch-uefi.sh')
    start, good, stats = time.monotonic(), True, {}
    for name in chosen:
        passed, stats[name] = boot(name, args, qemu, firmware)
        good &= passed
        if not args.keep:
            shutil.rmtree(os.path.join(args.build, 'boot-' + name), ignore_errors=True)
    if 'kernel' in stats and 'flush' in stats:
        exact, flush = total(stats['kernel'], 'loaded'), total(stats['flush'], 'loaded')
        fine = exact and exact * 10 <= flush
        good &= bool(fine)
        say(f'{"PASS" if fine else "FAIL"} commands of a boot until the kernel is loaded: {exact}, with everything flushed '
            f'{flush}; at most a tenth is asked')
    say(f'{"all passed" if good else "FAILED"} in {time.monotonic() - start:.0f} s; logs in {os.path.relpath(args.build)}')
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
