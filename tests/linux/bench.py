#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts what map and unmap through VFIO and through the DMA API cost, with our module and with the kernel's own driver, in the same kernel.

usage: tests/linux/bench.py [--build DIR] [--kernel VERSION…] [--driver ours|builtin…] [--profile] [--no-build] [--json FILE]
                            [--jobs N]

  --profile  the functions that most of it goes to, for each size: averages, with what interrupts and other tasks did in between;
             takes a minute more for each boot

Instructions are counted by QEMU (-icount): a median here is exact and the same each time, whatever else this machine does. They are
all instructions from the system call to its return: VFIO's, the IOMMU layer's and the driver's; of dma_map_page and dma_unmap_page the
function's (modules/dma_bench.c). A plugin (host/count.c) says how
many of them have interrupts masked, and how often SMMU_CMDQ_PROD is written, with how many commands. Without disks, with one
processor. Each size is mapped and unmapped 101 times. Exit status: 0 measured and the goals are met (fewer instructions than the
kernel's own driver, map and unmap, each size, each machine; an unmap on two SMMUs at most 1.1 times one on one), 1 not, 77 no QEMU,
firmware or kernel here.
"""
import argparse
import bisect
import collections
import concurrent.futures
import json
import os
import re
import statistics
import subprocess
import sys

import run
from guest import TOP, fetched

SIZES = {4096: '4K', 65536: '64K', 2 << 20: '2M'}
# As the guest numbers its windows.
WINDOWS = {**{n: f'map_{s}' for n, s in enumerate(SIZES.values())}, **{4 + n: f'unmap_{s}' for n, s in enumerate(SIZES.values())}}
COUNTS = ('instructions', 'masked', 'longest', 'writes', 'commands')
RUNS = 101
SLACK = 300


def build_plugin(args):
    path = os.path.join(args.build, 'count.so')
    subprocess.run(['gcc', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-fvisibility=hidden', '-o', path,
                    os.path.join(TOP, 'tests', 'linux', 'host', 'count.c')], check=True)
    return path


def symbols(text):
    """Addresses, sorted, and the names that begin there, of what the guest printed."""
    found = sorted((int(address, 16), name) for address, name in re.findall(r'^sym: ([0-9a-f]+) (\S+)', text, re.M))
    return [address for address, _ in found], [name for _, name in found]


def counted(path, smmus, text):
    """{window: {count: median}} and {window: {function: instructions for each time}}, of what the plugin wrote."""
    windows, blocks = collections.defaultdict(list), collections.defaultdict(collections.Counter)
    addresses, names = symbols(text)
    with open(path, encoding='ascii') as f:
        for line in f:
            kind, number, *rest = line.split()
            if kind == 'window':
                windows[int(number)].append(tuple(map(int, rest)))
            elif addresses:
                at = bisect.bisect(addresses, int(rest[0], 16)) - 1
                blocks[int(number)][names[at] if at >= 0 else 'user'] += int(rest[1])
    medians, functions = {}, {}
    for number, name in WINDOWS.items():
        # On the machine with two SMMUs each size is measured with one device first.
        last = windows[number][-RUNS:]
        medians[name] = {c: int(statistics.median(w[i] for w in last)) for i, c in enumerate(COUNTS)} if last else {}
        functions[name] = {f: n / len(windows[number]) for f, n in blocks[number].most_common(24)} if windows[number] else {}
    return medians, functions if smmus == 1 else {}


def measure(args, version, kernel, driver, kind):
    """({(devices, size): (map, unmap)}, medians, functions); nothing where it failed."""
    name = f'{version}-bench-{kind}-{driver}'
    path, counts = (os.path.join(args.build, name + end) for end in ('.initrd', '.count'))
    with open(path, 'wb') as f:
        f.write(run.initrd(args, kernel, version, driver))
    line = run.machine(args, 'two' if kind == 'two' else 'one', None, exact=True) + ['-plugin', f'file={args.plugin},out={counts}']
    what = 't.do=where,' + ('dma_bench' if kind == 'dma' else 'bench') + (',kallsyms' if args.profile and kind != 'two' else '')
    text, _ = run.start(line, kernel, path, run.arguments(driver, what), os.path.join(args.build, name + '.log'), args.limit)
    os.remove(path)
    smmus = 2 if kind == 'two' else 1
    found = {}
    for devices, size, *medians in re.findall(r'^bench: devices=(\d+) size=(\d+) map=(\d+) unmap=(\d+)', text, re.M):
        found[int(devices), int(size)] = tuple(map(int, medians))
    if len(re.findall(r'^ok: bench', text, re.M)) != smmus or 'FAILED' in text or 'guest: done' not in text:
        run.say(f'FAIL {name}: see its log in {os.path.relpath(args.build)}')
        return {}, {}, {}
    if 'frequency=1000000000' not in text:
        run.say(f'FAIL {name}: a tick is not an instruction')
        return {}, {}, {}
    medians, functions = counted(counts, smmus, text)
    # Both count the same, but for the marks themselves and what is read of a counter.
    for (devices, size), ways in found.items():
        for way, ticks in zip(('map', 'unmap'), ways):
            instructions = medians[f'{way}_{SIZES[size]}'].get('instructions', 0)
            if devices == smmus and abs(instructions - ticks) > SLACK:
                run.say(f'FAIL {name}: {way} of {SIZES[size]} takes {ticks} ticks, but the plugin saw {instructions} instructions')
                return {}, {}, {}
    # On the machine with two SMMUs only both together say something new.
    return {at: value for at, value in found.items() if at[0] == smmus}, medians, functions


def rows_of(results):
    rows = []
    for (version, kind, driver), (found, medians, _) in results.items():
        smmus = 2 if kind == 'two' else 1
        row = {'kernel': version, 'way': 'DMA' if kind == 'dma' else 'VFIO', 'smmus': smmus, 'driver': driver}
        for way, word in enumerate(('map', 'unmap')):
            for size, text in SIZES.items():
                row[f'{word}_{text}'] = found.get((smmus, size), (0, 0))[way]
        for name, counts in medians.items():
            row.update({f'{name}_{c}': n for c, n in counts.items() if c != 'instructions'})
        rows.append(row)
    return rows


def tables(rows):
    """Prints them. Are the goals met?"""
    good = True
    cells = [f'{way}_{s}' for way in ('map', 'unmap') for s in SIZES.values()]
    own = {(r['kernel'], r['way'], r['smmus']): r for r in rows if r['driver'] == 'builtin'}
    one = {(r['kernel'], r['way']): r for r in rows if r['smmus'] == 1 and r['driver'] == 'ours'}

    def head(columns, width):
        run.say(f'{"kernel":8} {"by":4} {"SMMUs":>5} {"driver":8} ' + ' '.join(f'{c:>{width}}' for c in columns))

    head([c.replace('_', ' ') for c in cells], 11)
    for r in rows:
        marks = []
        for c in cells:
            other = own.get((r['kernel'], r['way'], r['smmus'])) if r['driver'] == 'ours' else None
            alone = one.get((r['kernel'], r['way'])) if r['driver'] == 'ours' and r['smmus'] == 2 else None
            marks.append('+' if other and r[c] >= other[c] else '*' if alone and r[c] > alone[c] * 1.1 else ' ')
        good &= '+' not in marks and '*' not in marks
        run.say(f'{r["kernel"]:8} {r["way"]:4} {r["smmus"]:5} {r["driver"]:8} ' + ' '.join(f'{r[c]:>10,}{m}' for c, m in zip(cells, marks)))
    run.say('instructions from call to return, medians; +: not fewer than the kernel\'s own driver; *: more than 1.1 times one SMMU\n')
    words = ('masked', 'longest', 'writes', 'commands')
    head([c.replace("_", " ") for c in cells if c.startswith("un")], 28)
    for r in rows:
        texts, other = [], own.get((r['kernel'], r['way'], r['smmus']), {}) if r['driver'] == 'ours' else {}
        for c in cells:
            if c.startswith('un'):
                more = any(r.get(f'{c}_{w}', 0) > other.get(f'{c}_{w}', 1 << 60) for w in words)
                texts.append('/'.join(f'{r.get(f"{c}_{w}", 0):,}' for w in words) + ('+' if more else ' '))
                good &= not more
        run.say(f'{r["kernel"]:8} {r["way"]:4} {r["smmus"]:5} {r["driver"]:8} ' + ' '.join(f'{t:>28}' for t in texts))
    run.say('of an unmap: instructions with interrupts masked / most in a row / writes to SMMU_CMDQ_PROD / commands; medians; +: more than '
            'the kernel\'s own driver')
    return good


def profile(results):
    for (version, kind, driver), (_, _, functions) in results.items():
        if kind == 'two':
            continue
        for window, counts in functions.items():
            run.say(f'\n{version} {kind} {driver} {window}: instructions by function, {sum(counts.values()):,.0f} of them in these')
            for name, n in counts.items():
                run.say(f'  {n:10,.0f} {name}')


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default=os.path.join(TOP, 'build', 'linux'))
    parser.add_argument('--kernel', nargs='+', default=['6.12', '7.2'], choices=['6.12', '7.2', '7.3'])
    parser.add_argument('--driver', nargs='+', default=['builtin', 'ours'], choices=['builtin', 'ours'])
    parser.add_argument('--profile', action='store_true')
    parser.add_argument('--no-build', action='store_true')
    parser.add_argument('--json')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--limit', type=float, default=1200, help='seconds that a boot may take')
    parser.set_defaults(module=None)
    args = parser.parse_args()
    args.qemu, args.firmware = fetched('fetch-qemu.sh'), fetched('fetch-uefi.sh')
    kernels = run.fetched_kernels(args.kernel)
    if not args.no_build:
        command = [os.path.join(TOP, 'tests', 'linux', 'build.sh')] + ([] if 'ours' in args.driver else ['--no-driver'])
        if subprocess.run(command + [args.build] + list(kernels.values()), check=False).returncode:
            sys.exit(1)
    args.plugin = build_plugin(args)
    boots = [(version, kind, driver) for version in kernels for kind in ('one', 'two', 'dma') for driver in args.driver]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        tasks = {b: pool.submit(measure, args, b[0], kernels[b[0]], b[2], b[1]) for b in boots}
        results = {b: t.result() for b, t in tasks.items()}
    rows = rows_of(results)
    good = tables(rows) and all(found for found, _, _ in results.values())
    if args.profile:
        profile(results)
    with open(args.json or os.path.join(args.build, 'bench.json'), 'w', encoding='ascii') as f:
        json.dump(rows, f, indent=1)
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
