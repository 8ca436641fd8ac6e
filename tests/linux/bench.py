#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts the instructions of map and unmap through VFIO, with our module and with the kernel's own driver, in the same kernel.

usage: tests/linux/bench.py [--build DIR] [--kernel VERSION…] [--driver ours|builtin…] [--no-build] [--json FILE] [--jobs N]

QEMU counts them (-icount): a median here is exact and the same each time, whatever else this machine does. They are all
instructions from the system call to its return: VFIO's, the IOMMU layer's and the driver's. Without disks, with one processor.
Each size is mapped and unmapped 101 times. Exit status: 0 measured and the goal is met (fewer than the kernel's own driver, map
and unmap, each size, each machine), 1 not, 77 no QEMU, firmware or kernel here.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys

import run
from guest import TOP, fetched

SIZES = {4096: '4K', 65536: '64K', 2 << 20: '2M'}


def measure(args, version, kernel, driver, kind):
    """{(devices, size): (map, unmap)}; nothing where it failed."""
    name = f'{version}-bench-{kind}-{driver}'
    path = os.path.join(args.build, name + '.initrd')
    with open(path, 'wb') as f:
        f.write(run.initrd(args, kernel, version, driver))
    text, _ = run.start(run.machine(args, kind, None, exact=True), kernel, path, run.arguments(driver, 't.do=where,bench'),
                        os.path.join(args.build, name + '.log'), args.limit)
    os.remove(path)
    found = {}
    for devices, size, *medians in re.findall(r'^bench: devices=(\d+) size=(\d+) map=(\d+) unmap=(\d+)', text, re.M):
        found[int(devices), int(size)] = tuple(map(int, medians))
    if len(re.findall(r'^ok: bench', text, re.M)) != (1 if kind == 'one' else 2) or 'FAILED' in text:
        run.say(f'FAIL {name}: see its log in {os.path.relpath(args.build)}')
        return {}
    if 'frequency=1000000000' not in text:
        run.say(f'FAIL {name}: a tick is not an instruction')
        return {}
    # On the machine with two SMMUs only both together say something new.
    return {at: value for at, value in found.items() if at[0] == (1 if kind == 'one' else 2)}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default=os.path.join(TOP, 'build', 'linux'))
    parser.add_argument('--kernel', nargs='+', default=['6.12', '7.2'], choices=['6.12', '7.2', '7.3'])
    parser.add_argument('--driver', nargs='+', default=['builtin', 'ours'], choices=['builtin', 'ours'])
    parser.add_argument('--no-build', action='store_true')
    parser.add_argument('--json')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--limit', type=float, default=400, help='seconds that a boot may take')
    args = parser.parse_args()
    args.qemu, args.firmware = fetched('fetch-qemu.sh'), fetched('fetch-uefi.sh')
    kernels = run.fetched_kernels(args.kernel)
    if not args.no_build:
        command = [os.path.join(TOP, 'tests', 'linux', 'build.sh')] + ([] if 'ours' in args.driver else ['--no-driver'])
        if subprocess.run(command + [args.build] + list(kernels.values()), check=False).returncode:
            sys.exit(1)
    boots = [(version, kind, driver) for version in kernels for kind in ('one', 'two') for driver in args.driver]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        tasks = {b: pool.submit(measure, args, b[0], kernels[b[0]], b[2], b[1]) for b in boots}
        results = {b: t.result() for b, t in tasks.items()}
    good = all(results.values())
    run.say(f'{"kernel":6} {"SMMUs":>5} {"driver":8} ' + ' '.join(f'{way + " " + s:>11}' for way in ('map', 'unmap')
                                                                for s in SIZES.values()))
    rows = []
    for (version, kind, driver), found in results.items():
        smmus = 1 if kind == 'one' else 2
        cells = [found.get((smmus, size), (0, 0))[way] for way in (0, 1) for size in SIZES]
        own = results.get((version, kind, 'builtin'), {})
        marks = ['+' if driver == 'ours' and own and c >= own[smmus, size][way] else ' '
                 for c, (way, size) in zip(cells, ((w, s) for w in (0, 1) for s in SIZES))]
        good &= '+' not in marks
        run.say(f'{version:6} {smmus:5} {driver:8} ' + ' '.join(f'{c:>10,}{m}' for c, m in zip(cells, marks)))
        rows.append({'kernel': version, 'smmus': smmus, 'driver': driver,
                     **{f'{w}_{s}': c for c, (w, s) in zip(cells, ((w, s) for w in ('map', 'unmap') for s in SIZES.values()))}})
    run.say('instructions from system call to return, medians; +: not fewer than the kernel\'s own driver')
    path = args.json or os.path.join(args.build, 'bench.json')
    with open(path, 'w', encoding='ascii') as f:
        json.dump(rows, f, indent=1)
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
