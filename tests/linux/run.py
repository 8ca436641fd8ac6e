#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots Debian's kernels with the Linux module, and judges what the boots say.

usage: tests/linux/run.py [--build DIR] [--kernel VERSION…] [--driver ours|builtin] [--short] [--jobs N] [--no-build]
                          [--may-skip] [BOOT…]

  --build DIR       where everything is built, and where the logs go (build/linux)
  --kernel VERSION  6.12, 7.2 and 7.2-iommufd, whichever the boots take, unless it is given; 6.12-kasan and 6.12-kcsan are kernels of
                    tools/debug-linux.sh, which are built, 7.2-iommufd is one of tools/iommufd-linux.sh
  --driver builtin  the kernel's own driver in place of ours: the tests' own test
  --short           fewer boots, and each for a shorter time
  --jobs N          so many boots at a time (as many as there are processors, 4 at most)
  --no-build        what is there was built already
  --may-skip        exit status 0 in place of 77
  BOOT              some of the boots below

Each boot is QEMU's machine "virt", with a device tree and one SMMU or with firmware, ACPI and two, NVMe, virtio-blk, and edu
devices that do DMA as they are told. tests/linux/guest/init is what it starts. Exit status: 0 all is well, 1 something failed,
77 no QEMU, firmware or kernel here.
"""
import argparse
import concurrent.futures
import gzip
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
import crash
import special
from guest import TOP, console, cpio, fetched, fetched_or_none

MIB = 1 << 20
PATTERN_END = 4 * MIB
WRITTEN = 16 * MIB  # by two threads
DISK = 64 * MIB

# name: (machine, what the guest does, more of its command line, the checks that it makes, in the short form, what it is)
BOOTS = {
    'one': ('one', 'where,files,io,vfio,irq', 'early=registers rounds=2', ['files', 'nvme', 'virtio-blk', 'vfio', 'irq'], True,
            'device tree, one SMMU'),
    'two': ('two', 'where,io,vfio,shared', 'rounds=1', ['nvme', 'virtio-blk', 'vfio', 'shared'], True,
            'ACPI, two SMMUs: each disk behind its own, one container over both'),
    'lazy': ('one', 'where,files,io,unbind,io', 'early=registers quirks=1 opt=quirks=1 type_wanted=DMA-FQ',
             ['files', 'nvme', 'virtio-blk', 'unbind'], False,
             'unmaps that wait, iommu.strict=0; no range commands; the SMMU is unbound, and bound again'),
    'reload': ('two', 'where,reload', '', ['gone-nvme', 'gone-virtio-blk', 'reload', 'nvme', 'virtio-blk'], True,
               'all devices removed under load, rmmod, insmod, rescan'),
    'crash': ('one', 'where,crash', '', ['crash', 'nvme', 'virtio-blk'], False,
              'a crash under load; the kernel for crashes takes the live SMMU over'),
    'fail': ('two', 'where,fail,fail_probe', '', ['fail', 'fail-probe'], False,
             'the n-th allocation of probe, attach, map, unmap and close is missing'),
    'broken': ('one', 'where,vfio', 'rounds=1', ['caught'], True, 'our module with TLBIs that miss is caught'),
}
BOOTS.update(special.BOOTS)
OURS_ALONE = ('reload', 'fail', 'broken', *special.BOOTS)
# What boots load in place of our driver as it is, and what has to be noticed then.
DRIVERS = {'fail': 'failing', 'broken': 'broken', **special.DRIVERS}
CAUGHT = {'broken': r'FAILED: .*stale', 'unnested': r'FAILED: .*stale', 'raced': r'BUG: data race'}
DEBUG = ('6.12-kasan', '6.12-kcsan')
IOMMUFD = '7.2-iommufd'

# Of a kernel's console: what must not be there, whatever a test says.
TROUBLE = r'(?:BUG:|WARNING:|Oops|Internal error|Unable to handle|Kernel panic|CMD_SYNC timeout|GERROR|INFO: task |INFO: trying to ' \
          r'register|rcu: INFO:|UBSAN:|stale).*'


def say(text):
    print(text, flush=True)


def processor_time():
    """Of this process and those that it waited for, in seconds."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def words(tag, start, end):
    return b''.join(struct.pack('<Q', tag << 56 | at) for at in range(start, end, 8))


def make_disk(path, disk):
    with open(path, 'wb') as f:
        f.write(words(disk + 1, 0, PATTERN_END))
        f.truncate(DISK)


def disk_has_writes(path, disk):
    with open(path, 'rb') as f:
        return f.read(PATTERN_END + WRITTEN) == \
            words(disk + 1, 0, PATTERN_END) + words(disk + 0x81, PATTERN_END, PATTERN_END + WRITTEN)


def initrd(args, kernel, version, driver, more=()):
    files = [(n, 0o40755, b'') for n in ('bin', 'modules', 'crash')]

    def add(name, path, mode=0o100755):
        with open(path, 'rb') as f:
            files.append((name, mode, f.read()))

    add('init', os.path.join(TOP, 'tests', 'linux', 'guest', 'init'))
    add('bin/busybox', os.path.join(args.firmware, 'busybox'))
    for program in ('vfio_check', 'vfio_bench', 'fail_check', 'load', 'crash_load'):
        add(program, os.path.join(args.build, 'guest', program))
    for module in os.listdir(os.path.join(kernel, 'modules')):
        add('modules/' + module, os.path.join(kernel, 'modules', module))
    for module in ('irq_unmap', 'dma_bench', 'edu_busy', 'edu_message'):
        add(module + '.ko', os.path.join(args.build, version, module + '.ko'))
    if has_iommufd(kernel):
        for program in ('nested_check', 'nested_keep'):
            add(program, os.path.join(args.build, version, program))
    if driver != 'builtin':
        add('smmuv3.ko', args.module or os.path.join(args.build, version, 'smmuv3.ko' if driver == 'ours' else driver + '.ko'))
    files += [(name, 0o100644, data) for name, data in more]
    return gzip.compress(cpio(files), 1)


def machine(args, kind, disks, exact=False):
    """QEMU's command line but for the kernel."""
    line = [args.qemu, '-cpu', 'max', '-m', '1G', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot']
    more = ',dtb-randomness=off' if exact else ''
    line += ['-smp', '1', '-icount', 'shift=0,sleep=off', '-rtc', 'base=2024-01-01T00:00:00,clock=vm', '-seed', '1'] if exact \
        else ['-smp', '2']
    if kind == 'one':
        line += ['-M', 'virt,iommu=smmuv3,gic-version=3' + more]
        buses = ['bus=pcie.0,addr=2.0', 'bus=pcie.0,addr=3.0', 'bus=pcie.0,addr=4.0', None]
    else:
        line += ['-M', 'virt,gic-version=3' + more, '-drive',
                 f'if=pflash,format=raw,unit=0,readonly=on,file={args.firmware}/code.fd',
                 '-device', 'arm-smmuv3,primary-bus=pcie.0,id=smmu0',
                 '-device', 'pxb-pcie,id=pcie.1,bus_nr=8,bus=pcie.0,addr=1.0',
                 '-device', 'arm-smmuv3,primary-bus=pcie.1,id=smmu1',
                 '-device', 'pcie-root-port,id=rp0,bus=pcie.1,chassis=1,slot=1,addr=0.0',
                 '-device', 'pcie-root-port,id=rp1,bus=pcie.1,chassis=2,slot=2,addr=1.0']
        buses = ['bus=pcie.0,addr=2.0', 'bus=pcie.0,addr=3.0', 'bus=rp1', 'bus=rp0']
    for bus in (buses[0], buses[3]):
        if bus:
            line += ['-device', f'edu,{bus},dma_mask=0xffffffffffffffff']
    for disk, device in enumerate([f'nvme,serial=a,{buses[1]}',
                                   f'virtio-blk-pci,{buses[2]},disable-legacy=on,iommu_platform=on']):
        if disks:
            line += ['-drive', f'file={disks}/disk{disk}.img,if=none,id=d{disk},format=raw', '-device', f'{device},drive=d{disk}']
    return line


def arguments(driver, what):
    # An Oops ends the boot: what holds a lock then would keep others waiting until the limit.
    line = 'console=ttyAMA0 nokaslr panic=-1 oops=panic rdinit=/init loglevel=4'
    if driver != 'builtin':
        line += ' initcall_blacklist=arm_smmu_driver_init deferred_probe_timeout=600 t.mod=1'
    return line + ' ' + what


def wait(process, limit, log, stop):
    """Until it ends, or its console has STOP: whether it ended well."""
    end = time.monotonic() + limit
    while True:
        try:
            return process.wait(min(max(end - time.monotonic(), 0), 2 if stop else limit)) == 0
        except subprocess.TimeoutExpired:
            with open(log, 'rb') as f:
                if time.monotonic() >= end or stop in f.read():
                    return False


def start(line, kernel, initrd_path, append, log, limit, stop=b''):
    """Returns its console, and whether it ended by itself. It is ended once its console has STOP."""
    line = line + ['-kernel', os.path.join(kernel, 'vmlinuz'), '-initrd', initrd_path, '-append', append]
    with open(log, 'wb') as out:
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        try:
            ended = wait(process, limit, log, stop)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    with open(log, 'rb') as f:
        return console(f.read()), ended


def other_driver(name, kernel):
    """What a boot has in place of our driver, or None. Where the kernel makes allocations fail, ours is as it is."""
    if name == 'fail' and 'CONFIG_FAILSLAB=y' in configuration(kernel):
        return None
    return DRIVERS.get(name)


def boot(args, name, version, kernel, driver):
    """What is wrong with each check, the console, and a line about it."""
    kind, do, variables, _, _, _ = BOOTS[name]
    work = os.path.join(args.build, f'boot-{version}-{name}{args.mark}')
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    for disk in range(2):
        make_disk(os.path.join(work, f'disk{disk}.img'), disk)
    # Disks behind an SMMU whose TLB is stale would only crash the guest.
    line = machine(args, kind, work if name != 'broken' else None)
    line = special.machine(name, line, work)
    variables = f't.do={do} t.seconds={2 if args.short else 8} ' + ' '.join('t.' + v for v in variables.split())
    if name == 'lazy':
        variables += ' iommu.strict=0'
    if name == 'always':
        variables += ' iommu.passthrough=1'
    # It is slow enough for the watchdog on a machine that is busy.
    is_slow = version in DEBUG or name in special.RACES
    slow = ' watchdog_thresh=120 rcupdate.rcu_cpu_stall_timeout=120 t.patience=600' if is_slow else ''
    variables += slow
    more = []
    if name in ('crash', 'kexec'):
        variables += f' t.crash={crash.BASE:#x} {crash.ARGUMENT}'
        with open(os.path.join(kernel, 'vmlinuz'), 'rb') as f:
            image = f.read()
        inner = initrd(args, kernel, version, driver)
        after = f't.do=where,{"kdump," * (name == "crash")}io t.seconds={2 if args.short else 8} nr_cpus=1{slow} ' + \
            ('reset_devices' if name == 'crash' else 't.early=disabled')
        more = [('crash/image', image), ('crash/initrd', inner),
                ('crash/dtb', crash.device_tree(line, os.path.join(work, 'dtb'), len(inner), arguments(driver, after), name == 'crash'))]
    path = os.path.join(work, 'initrd')
    image = initrd(args, kernel, version, other_driver(name, kernel) or driver, more)
    with open(path, 'wb') as f:
        f.write(image)
    begin = time.monotonic()
    limit = args.limit * (10 if is_slow else 1)
    if name in ('rmr', *special.NESTED):
        text, _ = start(line, kernel, path, arguments(driver, 't.do=iort'), os.path.join(work, 'log'), limit)
        if name == 'rmr':
            variables += f' crashkernel={special.SIZE >> 10}K@{special.MEMORY:#x}'
            # There PCI devices are in their default domain at once, not when a driver is bound.
            variables += ' iommu.passthrough=1 t.busy=alone=0' if not version.startswith('6.12') else ''
        with open(path, 'wb') as f:
            f.write(special.other_iort(name, text) + image)
    text, ended = start(line, kernel, path, arguments(driver, variables),
                        os.path.join(args.build, f'{version}-{name}-{driver}{args.mark}.log'), limit, args.stop)
    verdicts = judge(name, text, ended, work, configuration(kernel))
    shutil.rmtree(work, ignore_errors=True)
    seconds = time.monotonic() - begin
    return verdicts, text, f'{version} {name}: {BOOTS[name][5]} ({seconds:.0f} s)'


def report(verdicts, text, line):
    wrong = [w for found in verdicts.values() for w in found]
    say(f'{"FAIL" if wrong else "PASS"} {line}')
    for said in re.findall(r'^(?:\[[ .\d]+\] )?(?:\w+: )?(ok: .*)', text, re.M):
        say('  ' + said)
    for what in dict.fromkeys(wrong):
        say('  ' + what)


def without_foreign_races(text):
    """KCSAN looks at all of the kernel: the console without its reports that do not name our module, and how many those were."""
    kept, report, foreign = [], None, 0
    for line in text.splitlines():
        if 'BUG: KCSAN:' in line:
            report = []
        # Others have their say while one is printed.
        if report is None or re.search(r'ok: |FAILED|guest: ', line) or ('KCSAN' not in line and re.search(TROUBLE, line)):
            kept.append(line)
            continue
        report.append(line)
        if '=====' in line:
            if any('[smmuv3]' in inside for inside in report):
                kept += report
            else:
                foreign += 1
            report = None
    return '\n'.join(kept + (report or [])), foreign


def judge(name, text, ended, work, config):
    """What is wrong with each check."""
    checks = BOOTS[name][3]
    text, foreign = without_foreign_races(text)
    if foreign:
        say(f'  {foreign} races in the kernel itself are left out')
    failed = re.findall(r'FAILED: .*', text)
    if name in CAUGHT:
        caught = re.search(CAUGHT[name], text) and 'guest: done' in text
        return {'caught': [] if caught else ['FAILED: caught: nothing was noticed']}
    verdicts = {check: [line for line in failed if line.startswith(f'FAILED: {check}:')] for check in checks}
    for check in checks:
        said = len(re.findall(rf'ok: {check}:', text))
        # The guest checks each edu device by itself first.
        if check == 'vfio':
            if said < (2 if BOOTS[name][0] == 'two' else 1):
                verdicts[check].append(f'FAILED: {check}: not done')
        elif check == 'crash':
            if 'crash: now' not in text or text.count('where: ') <= text.split('crash: now')[0].count('where: '):
                verdicts[check].append('FAILED: crash: no kernel came up after it')
        elif not said:
            verdicts[check].append(f'FAILED: {check}: not done')
    for disk, check in enumerate(['nvme', 'virtio-blk']):
        if check in checks and not verdicts[check] and not disk_has_writes(os.path.join(work, f'disk{disk}.img'), disk):
            verdicts[check].append(f'FAILED: {check}: the disk does not have what was written')
    allowed = r'Kernel panic - not syncing: sysrq' if name == 'crash' else r'$^'
    general = [line for line in failed if not any(line in v for v in verdicts.values())]
    general += [f'trouble: {t}' for t in re.findall(TROUBLE, text) if not re.match(allowed, t) and 'FAILED' not in t
                and not t.startswith('stale')]
    for option, checker in (('CONFIG_PROVE_LOCKING=y', 'lockdep'), ('CONFIG_KCSAN=y', 'KCSAN')):
        if option in config and f'ok: checkers: {checker}' not in text:
            general.append(f'FAILED: checkers: {checker} was not there at the end')
    if not ended or 'guest: done' not in text:
        general.append('FAILED: it did not come to its end: see the log')
    verdicts['kernel'] = general
    return verdicts


def table(results):
    versions = list(dict.fromkeys(v for v, _ in results))
    rows = list(dict.fromkeys((b, c) for (v, b), checks in results.items() for c in checks))
    say('')
    say(f'{"boot":8} {"check":16} ' + ' '.join(f'{v:>10}' for v in versions))
    for name, check in rows:
        cells = [results.get((v, name), {}).get(check) for v in versions]
        say(f'{name:8} {check:16} ' + ' '.join(f'{"-" if c is None else "FAIL" if c else "pass":>10}' for c in cells))


def has_iommufd(kernel):
    return 'CONFIG_IOMMUFD=m' in configuration(kernel)


def wanted(name, version, kernel, args):
    """Is boot NAME one for this kernel?"""
    if name in special.NESTED:
        return args.driver == 'ours' and has_iommufd(kernel)
    # For that kernel there are no other drivers than those; what others can, it need not show.
    if version == IOMMUFD and (not args.boots or other_driver(name, kernel)):
        return False
    return args.driver == 'ours' or name not in OURS_ALONE


def configuration(kernel):
    with open(os.path.join(kernel, 'config'), encoding='utf-8') as f:
        return f.read().splitlines()


def fetched_kernels(versions):
    """A suite moves on: the kernels that are still to be had, and at least one."""
    kernels = {version: fetched_or_none('debug-linux.sh', version.removeprefix('6.12-')) if version in DEBUG
               else fetched_or_none('iommufd-linux.sh') if version == IOMMUFD
               else fetched_or_none('fetch-linux.sh', version) for version in versions}
    for version in [v for v, folder in kernels.items() if not folder]:
        say(f'SKIP {version}: it is not to be had here (see above)')
        del kernels[version]
    if not kernels:
        sys.exit(77)
    return kernels


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default=os.path.join(TOP, 'build', 'linux'))
    parser.add_argument('--kernel', nargs='+', choices=['6.12', '7.2', '7.3', IOMMUFD, *DEBUG])
    parser.add_argument('--driver', default='ours', choices=['ours', 'builtin'])
    parser.add_argument('--short', action='store_true')
    parser.add_argument('--jobs', type=int, default=min(4, len(os.sched_getaffinity(0))))
    parser.add_argument('--no-build', action='store_true')
    parser.add_argument('--may-skip', action='store_true')
    parser.add_argument('--limit', type=float, default=240, help='seconds that a boot may take')
    parser.add_argument('boots', nargs='*')
    parser.set_defaults(module=None, mark='', stop=b'')
    args = parser.parse_args()
    chosen = args.boots or [n for n, b in BOOTS.items() if (b[4] or not args.short) and n not in special.RACES]
    if not set(chosen) <= set(BOOTS):
        parser.error('boots are: ' + ' '.join(BOOTS))
    if not args.kernel:
        args.kernel = ['6.12', '7.2'] if set(chosen) - set(special.NESTED) else []
        args.kernel += [IOMMUFD] if set(chosen) & set(special.NESTED) else []
    begin = time.monotonic()
    try:
        args.qemu, args.firmware = fetched('fetch-qemu.sh'), fetched('fetch-uefi.sh')
        kernels = fetched_kernels(args.kernel)
    except SystemExit as end:
        if end.code != 77:
            raise
        say('SKIP: QEMU, firmware or kernels are not to be had here (see above): nothing of the Linux module was tried')
        sys.exit(0 if args.may_skip else 77)
    if not args.no_build:
        command = [os.path.join(TOP, 'tests', 'linux', 'build.sh')]
        command += ['--no-driver'] if args.driver == 'builtin' else ['--races'] if set(chosen) <= set(special.RACES) else \
            [] if any(special.DRIVERS.get(name) == 'believes' for name in chosen) else ['--few']
        if subprocess.run(command + [args.build] + list(kernels.values()), check=False).returncode:
            sys.exit(1)
        say(f'fetched and built in {time.monotonic() - begin:.0f} s, {processor_time():.0f} s of processor time')
    results = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        boots = [(version, name) for version, kernel in kernels.items() for name in chosen if wanted(name, version, kernel, args)]
        tasks = {b: pool.submit(boot, args, b[1], b[0], kernels[b[0]], args.driver) for b in boots}
        for b, task in tasks.items():
            results[b], *said = task.result()
            report(results[b], *said)
    table(results)
    good = bool(results) and not any(w for checks in results.values() for w in checks.values())
    say(f'{"all passed" if good else "FAILED"} with {"our driver" if args.driver == "ours" else "the built-in driver"} in '
        f'{time.monotonic() - begin:.0f} s, {processor_time():.0f} s of processor time; logs in {os.path.relpath(args.build)}')
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
