#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Puts the figures of `make bench` into the tables of docs/performance.md, docs/answers.md and README.md.

usage: tools/figures.py [bench.json [threads.tsv]]    (default: build/bench/bench.json)

A table stands between <!-- figures: NAME --> and <!-- end -->; one for which something was not measured this time stays as it
is, so that what is exact can be counted on a busy machine and the rest on a quiet one. threads.tsv is what smmuv3-timing printed on a machine with more
processors (make timing). Prose is not touched: read it again afterwards.
"""
import json
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')


class Missing(Exception):
    pass


class Tables(dict):
    """By name; whoever asks for one that was not measured gets no figures at all."""

    def get(self, name, default=None):
        return self[name]

    def __missing__(self, name):
        raise Missing(name)


class Bench:
    def __init__(self, path):
        with open(path) as f:
            self.tables = Tables({t['name']: t for t in json.load(f)['benchmarks'] if t['rows']})

    def row(self, table, design=None, **params):
        for r in self.tables.get(table, {}).get('rows', []):
            if (design is None or r['design'] == design) and all(r.get(k) == v for k, v in params.items()):
                return r
        return None

    def value(self, table, design=None, **params):
        r = self.row(table, design, **params)
        return None if r is None else r['value']


def number(x):
    if x is None:
        return '–'
    if abs(x) >= 100 or x == int(x):
        return '{:,}'.format(round(x))
    return '%.2f' % x


def spread(r):
    if r is None:
        return '–'
    if 'min' not in r or r['min'] == r['max']:
        return number(r['value'])
    return '%s (%s to %s)' % (number(r['value']), number(r['min']), number(r['max']))


def verdict(value, goal, most=True):
    if value is None:
        return 'not measured'
    if (value <= goal) if most else (value >= goal):
        return 'met'
    return '%.2f of it' % (value / goal) if not most else '%.2f times it' % (value / goal)


def table(head, rows):
    return ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)] + ['| ' + ' | '.join(r) + ' |' for r in rows]


def sweep_goals(b):
    goals = (('sweep of 4K, 1 SMMU, 0 ATS', 310), ('sweep of 4K, 1 SMMU, 4 ATS', 420), ('sweep of 4K, 1 SMMU, 512 ATS', 7500),
             ('sweep of 4K, 16 SMMUs, 0 ATS', 3400), ('sweep of 4K, 16 SMMUs, 4 ATS each', 5500), ('each further command', 15),
             ('each further ATS entry', None), ('each further SMMU', None),
             ('of it: a read section and the barrier before it', None), ('of it: submit a TLBI and its CMD_SYNC', None),
             ('of it: wait, as it is done', None))
    rows = []
    for what, goal in goals:
        v = {d: b.value('instructions', d, what=what) for d in ('smmuv3', 'list', 'floor')}
        rows.append([what, number(v['smmuv3']), number(v['list']), number(v['floor']), number(goal) if goal else '',
                     verdict(v['smmuv3'], goal) if goal else ''])
    return table(('instructions', 'ours', 'plain list', 'floor', 'goal', ''), rows)


def page_goals(b):
    goals = (('map 4K', 250), ('unmap 4K', 200), ('map 2M of pages', 6000), ('unmap 2M of pages, known to be mapped', 300),
             ('unmap 2M of pages', 2500), ('unmap 1G of pages, known to be mapped', 31000), ('unmap 1G of pages', 1200000),
             ('whole unmap of 4K', 550), ('iova_to_phys', 40))
    rows = []
    for what, goal in goals:
        v = b.value('instructions', 'smmuv3', what=what)
        other = b.value('instructions', 'minimal', what=what) or b.value('instructions', 'list', what=what)
        rows.append([what, number(v), number(other), number(goal), verdict(v, goal)])
    return table(('instructions', 'ours', 'minimal walker', 'goal', ''), rows)


def thread_goals(b):
    rows = []
    processors = b.value('threads', 'processors of this machine') or 2
    for sync in (0, 240, 550):
        for n, goal in ((1, 1.0), (2, 1.1)):
            r = b.row('threads-ahead', 'issue, smmuv3 / compare-exchange', threads=n, queues=1, sync_ns=sync)
            rows.append(['%d thread%s, 1 queue, CMD_SYNC %d ns: ours / compare-exchange' % (n, 's' if n > 1 else '', sync), spread(r),
                         '≥ %.1f' % goal, verdict(r and r['value'], goal, False)])
    for n in (8, 16) if processors <= 2 else ():
        r = b.row('threads-ahead', 'issue, smmuv3 / compare-exchange', threads=n, queues=1, sync_ns=0)
        rows.append(['%d threads, 1 queue, CMD_SYNC 0 ns: ours / compare-exchange' % n, spread(r), '≥ 4',
                     verdict(r and r['value'], 4, False)])
    for n, goal in ((2, 1.95), (16, 14)) if processors >= 16 else ((2, 1.95),):
        for sync in (0, 240, 550):
            r = b.row('threads-scaling', 'issue, smmuv3', threads=n, queues=n, sync_ns=sync)
            rows.append(['%d threads, %d queues, CMD_SYNC %d ns: times one thread' % (n, n, sync), spread(r),
                         '≥ %.4g' % goal, verdict(r and r['value'], goal, False)])
    return table(('', 'median (least to most)', 'goal', ''), rows)


def other_goals(b):
    rows = []
    join, copy = (b.value('attach', d, entries=16384) for d in ('join (copy and merge)', 'memcpy of the array'))
    ratio = join / copy if join and copy else None
    rows.append(['merge of one device into 16,384 entries / memcpy of the same bytes', number(ratio), '≤ 1.5', verdict(ratio, 1.5)])
    parts = [b.value('startup', d, streams=65536) for d in ('add devices with ATS', 'attach them with ATS, one by one')]
    total = None if None in parts else sum(parts)
    rows.append(['65,536 streams with ATS added and attached, 8 a device, device by device, ms', number(total), '≤ 500', verdict(total, 500)])
    worst = None
    for ats in (0, 1, 4):
        alone = b.value('instances', 'sweep', smmus=1, ats=ats, cpu_rate=0)
        for n in (2, 4, 8, 16, 32, 64):
            v = b.value('instances', 'sweep', smmus=n, ats=ats, cpu_rate=0)
            if v and alone:
                worst = max(worst or 0, v / alone)
    rows.append(['1 to 64 SMMUs, 0, 1 or 4 devices with ATS: hardware’s time / the slowest alone, worst', number(worst), '≤ 1.05',
                 verdict(worst, 1.05)])
    worst = None
    for r in b.tables.get('latencies', {}).get('rows', []):
        if r['design'] == 'sweep' and r['cpu_rate'] == 0:
            alone = b.value('latencies', 'sweep', smmus=1, sync_ns=r['sync_ns'], atc_ns=r['atc_ns'], cpu_rate=0)
            worst = max(worst or 0, r['value'] / alone)
    rows.append(['the same, CMD_SYNC 240 and 550 ns, ATC 1 to 100 µs', number(worst), '≤ 1.05', verdict(worst, 1.05)])
    worst = None
    for percent in (100, 200, 400, 800, 1600):
        v, alone = (b.value('slow-one', 'sweep', smmus=n, slow_percent=percent, cpu_rate=0) for n in (8, 1))
        if v and alone:
            worst = max(worst or 0, v / alone)
    rows.append(['8 SMMUs of which one is 1 to 16 times slower / that one alone', number(worst), '≤ 1.05', verdict(worst, 1.05)])
    worst = None
    for r in b.tables.get('guests', {}).get('rows', []):
        if r['design'] == 'sweep' and r['cpu_rate'] == 0:
            alone = b.value('guests', 'sweep', smmus=1, cpu_rate=0, ats=r['ats'], slow_percent=r.get('slow_percent'))
            worst = max(worst or 0, r['value'] / alone)
    rows.append(['an unmap of a parent with guests on 2 to 32 SMMUs / the slowest alone', number(worst), '≤ 1.05', verdict(worst, 1.05)])
    return table(('', 'figure', 'goal', ''), rows)


def simulator_goals(b):
    rows = []
    for n in (1, 2, 4, 16):
        r = b.row('simulator', 'run', smmus=n)
        goal = 190000 if n == 1 else None
        rows.append(['operations a processor second, %d SMMU%s' % (n, 's' if n > 1 else ''), spread(r), '≥ 190,000' if goal else '',
                     verdict(r and r['value'], goal, False) if goal else ''])
    r = b.row('simulator', 'time of an operation / on one SMMU', smmus=16)
    rows.append(['an operation on 16 SMMUs / on one', spread(r), '≤ 2', verdict(r and r['value'], 2)])
    return table(('', 'median (least to most)', 'goal', ''), rows)


def rate(b):
    rates = [r['cpu_rate'] for r in b.tables['instances']['rows'] if r.get('cpu_rate')]
    return rates[0] if rates else 0


def instances(b):
    rows = []
    for ats in (0, 4):
        for design in ('sweep', 'serial', 'list', 'flush'):
            for cpu in (0, rate(b)):
                rows.append(['%s, %s%s' % (design, 'no ATS' if not ats else '4 with ATS', ', processor' if cpu else '')] +
                            [number(b.value('instances', design, smmus=n, ats=ats, cpu_rate=cpu)) for n in (1, 2, 4, 8, 16, 32, 64)])
    return table(('one unmap, virtual ns', '1 SMMU', '2', '4', '8', '16', '32', '64'), rows)


def designs(b):
    rows = []
    for smmus, ats in ((1, 0), (1, 4), (1, 64), (4, 4), (16, 0), (16, 4)):
        rows.append(['%d SMMU%s, %d with ATS' % (smmus, 's' if smmus > 1 else '', ats)] +
                    [number(b.value('designs', d, smmus=smmus, ats=ats, pages=1)) for d in ('sweep', 'serial', 'list', 'flush')])
    return table(('whole unmap of 4K, instructions', 'sweep', 'serial', 'list', 'flush'), rows)


def trace(b):
    rows = []
    for design in ('sweep', 'serial', 'list', 'flush'):
        for cpu in (0, rate(b)):
            rows.append([design + (', processor' if cpu else '')] +
                        [number(b.value('trace', design, smmus=n, cpu_rate=cpu)) for n in (1, 4, 8)])
    return table(('all unmaps of the trace, virtual µs', '1 SMMU', '4', '8'), rows)


def simple(name, head, label, digits=None):
    def make(b):
        return table(head, [[label(r), spread(r)] for r in b.tables.get(name, {}).get('rows', [])])
    return make


def lookup(b):
    ways = ('sorted array', 'list', 'tree (64 children)', 'hash')
    return table(('streams', 'sorted array', 'list', 'tree (64 children a node)', 'hash'),
                 [['{:,}'.format(n)] + [number(b.value('lookup', w, streams=n)) for w in ways]
                  for n in (16, 256, 1024, 4096, 16384, 65536)])


def attach(b):
    ways = ('join (copy and merge)', 'leave (in place)', 'memcpy of the array')
    return table(('entries', 'join', 'leave', 'memcpy of the same bytes'),
                 [['{:,}'.format(n)] + [number(b.value('attach', w, entries=n)) + ' ns' for w in ways] for n in (16, 1024, 16384)])


def locks(b):
    guards = ('read section (epoch)', 'reader-writer lock', 'spinlock')
    counts = sorted({r['threads'] for r in b.tables.get('locks', {}).get('rows', [])})
    return table(('threads',) + guards, [[str(n)] + [spread(b.row('locks', g, threads=n)) for g in guards] for n in counts])


def grace(b):
    return table(('threads that read', 'a grace period, ns'),
                 [[str(r['threads'] - 1), spread(r)] for r in b.tables.get('grace', {}).get('rows', [])])


def spans(b):
    return table(('pages', 'exact spans: dropped needlessly', 'commands', 'one span: dropped needlessly'),
                 [[str(n)] + [number(b.value('atc-spans', d, pages=n)) for d in ('sweep', 'sweep, commands', 'one span')]
                  for n in (1, 2, 3, 4, 8, 16, 64, 512)])


def readme(b):
    rows = []
    for cpu in (0, rate(b)):
        for ats in (0, 4):
            for design in ('sweep', 'serial'):
                rows.append(['%s, %s%s' % (design, 'ATS' if ats else 'no ATS', ', processor' if cpu else '')] +
                            [number(b.value('instances', design, smmus=n, ats=ats, cpu_rate=cpu)) for n in (1, 2, 4, 8, 16)])
    return table(('one unmap, ns', '1 SMMU', '2', '4', '8', '16'), rows)


def with_params(r):
    what = r.get('what') or r['design']
    return what + (', {:,} streams on {} SMMU{}'.format(r['streams'], r['smmus'], 's' if r['smmus'] > 1 else '') if 'streams' in r else '')


BLOCKS = {
    'sweep-goals': sweep_goals, 'page-goals': page_goals, 'thread-goals': thread_goals, 'other-goals': other_goals,
    'simulator-goals': simulator_goals,
    'instances': instances, 'designs': designs, 'trace': trace, 'lookup': lookup, 'attach': attach, 'locks': locks, 'grace': grace,
    'atc-spans': spans, 'readme': readme,
    'interrupts': simple('interrupts', ('commands in the batch', 'instructions'), lambda r: str(r['commands']) + (
        ', past four operations that are gone for each' if 'careful' in r['design'] else '')),
    'memory': simple('memory', ('', 'bytes'), with_params),
    'startup': simple('startup', ('', 'ms'), with_params),
    'startup-memory': simple('startup-memory', ('', 'KiB'), with_params),
    'others': simple('others', ('', 'figure'), lambda r: '%s: %s' % (r['design'], r['what'])),
}


class Measured(Bench):
    """Lines of smmuv3-timing."""

    def __init__(self, path):
        self.tables = {}
        with open(path) as f:
            for line in f:
                if line.startswith('#'):
                    continue
                f7 = line.rstrip('\n').split('\t')
                row = {'design': f7[1], 'value': float(f7[3]), 'min': float(f7[4]), 'max': float(f7[5])}
                row.update({k: int(v) for k, v in re.findall(r'(\w+)=(\d+)', f7[6])})
                self.tables.setdefault(f7[0], {'rows': []})['rows'].append(row)


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(TOP, 'build', 'bench', 'bench.json')
    b = Bench(path)
    threads = Measured(sys.argv[2]) if len(sys.argv) > 2 else None

    def fill(match):
        name = match[1]
        source = threads if name.endswith('@16') else b
        if name.split('@')[0] not in BLOCKS:
            sys.exit('figures: no table is called ' + name)
        if source is None:
            return match[0]
        try:
            return '<!-- figures: %s -->\n\n%s\n\n<!-- end -->' % (name, '\n'.join(BLOCKS[name.split('@')[0]](source)))
        except Missing as e:
            print('figures: %s stays, as %s was not measured' % (name, e))
            return match[0]
    for name in ('README.md', 'docs/performance.md', 'docs/answers.md'):
        full = os.path.join(TOP, name)
        with open(full) as f:
            text = f.read()
        new = re.sub(r'<!-- figures: (\S+) -->.*?<!-- end -->', fill, text, flags=re.S)
        if new != text:
            with open(full, 'w') as f:
                f.write(new)
            print('figures: ' + name)
    return 0


sys.exit(main())
