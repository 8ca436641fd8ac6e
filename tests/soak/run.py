#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Long runs of `smmuv3 run`: each mode below with many seeds, every fourth of them with all faults that a driver has to survive
and with --interrupts (of QEMU: with those that it shows). Nothing stops it but Ctrl-C: a run that fails, crashes or comes to no
end is reported and the next one begins. Seeds go round first, so that a campaign that is broken off has looked at every mode.

usage: tests/soak/run.py [--seeds N|FIRST-LAST] [--ops N] [--jobs N] [--command FILE] [--logs DIR] [--list] [MODE…]
Exit status: 0 all ended ok; 1 some did not: their commands are repeated at the end, what they printed lies in the folder of logs;
2 bad usage, or nothing was run.
"""
import argparse
import concurrent.futures
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

KINDS = '--stage 1,2,nested,sva --domains 4 --smmus 3'
MODES = {
    'plain': '--stage 1,2 --domains 4',
    'nested': '--stage nested --domains 4',
    'sva': '--stage sva --domains 4',
    'kinds': KINDS,
    'smmus': '--stage 1,2,nested,sva --domains 8 --smmus 8 --devices 2 --threads 8',
    'joins': KINDS + ' --joins',
    'resets': KINDS + ' --resets',
    'life': KINDS + ' --life',
    'page-faults': KINDS + ' --page-faults',
    'tables': KINDS + ' --tables',
    'dirty': KINDS + ' --dirty',
    'adopt': KINDS + ' --adopt',
    # Page tables of processors are for SMMUs that are coherent.
    'non-coherent': '--stage 1,2,nested --domains 4 --smmus 3 --non-coherent',
    'non-coherent-life': '--stage 1,2,nested --domains 4 --smmus 3 --non-coherent --life --adopt --resets',
    'all-life': KINDS + ' --life --adopt --resets --tables --dirty',
    'all-pages': KINDS + ' --page-faults --life --adopt --resets --tables --dirty',
    'qemu': '--device qemu --stage 1,2,nested --domains 3',
}
# An operation takes QEMU a hundred times as long.
FEWER = {'qemu': 50}
SURVIVED = ('atc-timeout', 'cmd-error', 'cmd-abort', 'slow-sync', 'event-overflow', 'alloc-fail', 'atc-slow', 'pause', 'queue-dead',
            'dirty-start')
COLUMNS = ('ops', 'dma', 'attaches', 'removals', 'suspends', 'adoptions', 'resets', 'survived')


def faulty(seed):
    return seed % 4 == 0


def arguments(mode, seed, ops):
    words = MODES[mode].split()
    if faulty(seed):
        if mode == 'qemu':
            faults = ['cmd-error:500', 'alloc-fail']
        else:
            words.append('--interrupts')
            faults = list(SURVIVED) + (['adopt-corrupt'] if '--adopt' in words else [])
        for fault in faults:
            words += ['--inject', fault]
    return words + ['--ops', str(ops), '--seed', str(seed)]


class Run:
    """One run, and what became of it."""

    def __init__(self, mode, seed, args):
        self.mode, self.seed = mode, seed
        self.ops = max(1, args.ops // FEWER.get(mode, 1))
        self.words = ['run'] + arguments(mode, seed, self.ops)
        self.log = os.path.join(args.logs, '%s-%d' % (mode, seed))
        self.found, self.cpu, self.verdict, self.ok = {}, 0.0, 'not run', False

    def repeat(self, command):
        return command + ' ' + ' '.join(self.words)

    def go(self, args, running):
        words = [args.command] + self.words + ['--json', self.log + '.json']

        def limits():
            resource.setrlimit(resource.RLIMIT_CPU, (args.cpu_limit, args.cpu_limit + 5))

        if os.path.exists(self.log + '.json'):
            os.unlink(self.log + '.json')
        with open(self.log + '.log', 'w') as out:
            process = subprocess.Popen(words, stdout=out, stderr=out, stdin=subprocess.DEVNULL, preexec_fn=limits)
            running[process.pid] = time.monotonic() + args.wall_limit
            pid, status, usage = os.wait4(process.pid, 0)
            late = running.pop(pid) <= time.monotonic()
            process.returncode = 0
        self.cpu = usage.ru_utime + usage.ru_stime
        self.judge(status, late, args)

    def judge(self, status, late, args):
        try:
            with open(self.log + '.json') as f:
                self.found = json.load(f)
        except (OSError, ValueError):
            self.found = {}
        if os.WIFSIGNALED(status):
            name = signal.Signals(os.WTERMSIG(status)).name
            if late or name == 'SIGXCPU' or name == 'SIGKILL' and self.cpu >= args.cpu_limit:
                self.verdict = 'came to no end: %s after %.0f s of processor' % (name, self.cpu)
            else:
                self.verdict = 'ended by ' + name
            return
        code = os.WEXITSTATUS(status)
        if code == 0 and self.found.get('result') == 'ok' and self.found.get('ops') == self.ops:
            self.ok, self.verdict = True, 'ok'
            return
        self.verdict = 'exit status %d' % code
        if self.found.get('violations'):
            self.verdict += ': %d stale, %d lost' % (self.found['stale'], self.found['lost'])
        else:
            with open(self.log + '.log') as f:
                words = [line.strip() for line in f if line.startswith('smmuv3 run: ')]
            self.verdict += ': ' + (words[-1] if words else 'not a word of why')


def number(n):
    return '{:,}'.format(n)


def table(runs):
    """As it stands in docs/model.md."""
    head = ['mode', 'runs', 'with faults', 'ok', *('operations', 'judged DMA', 'attach', 'removal', 'suspend', 'adoption', 'reset',
                                                 'faults survived'), 'processor, s']
    rows = []
    for mode in MODES:
        mine = [r for r in runs if r.mode == mode and r.verdict != 'not run']
        if mine:
            rows.append([mode, len(mine), sum(faulty(r.seed) for r in mine), sum(r.ok for r in mine)] +
                        [sum(r.found.get(c, 0) for r in mine) for c in COLUMNS] + [round(sum(r.cpu for r in mine))])
    rows.append(['all'] + [sum(row[i] for row in rows) for i in range(1, len(head))])
    print('\n| ' + ' | '.join(head) + ' |\n|' + '---|' * len(head))
    for row in rows:
        print('| ' + ' | '.join([row[0]] + [number(n) for n in row[1:]]) + ' |')


def kill_late(running, done):
    """QEMU may wait without using the processor; all else is ended by the limit of that."""
    while not done.wait(1):
        for pid, end in list(running.items()):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)


def seeds_of(text):
    if not re.fullmatch(r'\d+(-\d+)?', text):
        raise argparse.ArgumentTypeError('%s: expected a number, or FIRST-LAST' % text)
    first, _, last = text.rpartition('-')
    return range(int(first or 1), int(last) + 1)


def main():
    p = argparse.ArgumentParser(usage=__doc__.split('usage: ')[1].split('\n')[0])
    p.add_argument('--seeds', type=seeds_of, default=range(1, 21))
    p.add_argument('--ops', type=int, default=1000000)
    p.add_argument('--jobs', type=int, default=os.cpu_count())
    p.add_argument('--command', default=os.path.join('build-soak', 'smmuv3'))
    p.add_argument('--logs', default=os.path.join('build-soak', 'soak'))
    p.add_argument('--cpu-limit', type=int, help='seconds of processor for one run (60, and 2 ms for an operation)')
    p.add_argument('--wall-limit', type=int, help='seconds by the clock for one run (30 times those of the processor)')
    p.add_argument('--list', action='store_true', help='print the commands and do nothing')
    p.add_argument('modes', nargs='*', metavar='MODE', help=', '.join(MODES))
    args = p.parse_args()
    args.cpu_limit = args.cpu_limit or 60 + args.ops // 500
    args.wall_limit = args.wall_limit or 30 * args.cpu_limit
    unknown = [m for m in args.modes if m not in MODES]
    if unknown:
        p.error('no mode %s; there are %s' % (unknown[0], ', '.join(MODES)))
    os.makedirs(args.logs, exist_ok=True)
    runs = [Run(mode, seed, args) for seed in args.seeds for mode in args.modes or MODES]
    if not runs:
        p.error('nothing to run')
    if args.list:
        print('\n'.join(r.repeat(args.command) for r in runs))
        return 0

    running, done, broken_off = {}, threading.Event(), False
    threading.Thread(target=kill_late, args=(running, done), daemon=True).start()
    pool = concurrent.futures.ThreadPoolExecutor(args.jobs)
    futures = {pool.submit(r.go, args, running): r for r in runs}
    try:
        for i, f in enumerate(concurrent.futures.as_completed(futures), 1):
            f.result()
            r = futures[f]
            print('[%d/%d] %s %s, seed %d%s: %s; %s operations, %s DMA, %.1f s of processor' % (
                i, len(runs), 'PASS' if r.ok else 'FAIL', r.mode, r.seed, ' (faults)' if faulty(r.seed) else '', r.verdict,
                number(r.found.get('ops', 0)), number(r.found.get('dma', 0)), r.cpu), flush=True)
    except KeyboardInterrupt:
        broken_off = True
        pool.shutdown(wait=False, cancel_futures=True)
    done.set()
    table(runs)
    bad = [r for r in runs if not r.ok and r.verdict != 'not run']
    for r in bad:
        print('\nFAIL %s, seed %d: %s\n  %s\n  %s.log' % (r.mode, r.seed, r.verdict, r.repeat(args.command), r.log))
    left = sum(r.verdict == 'not run' for r in runs)
    print('\n%d of %d runs ended ok%s' % (sum(r.ok for r in runs), len(runs), ', %d were not begun' % left if left else ''))
    return 1 if bad else 2 if left == len(runs) else 1 if broken_off else 0


if __name__ == '__main__':
    sys.exit(main())
