#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command from outside: usage: test_command.py SMMUV3 DATA_FOLDER"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SMMUV3, DATA = sys.argv[1], sys.argv[2]
TRACE = os.path.join(DATA, 'nvme-iommu.trace.gz')

CAUGHT = {
    'drop-tlbi': ({'tlb', 'walk-cache', 'atc'}, {'tlbi'}),
    'drop-atc': ({'atc'}, {'atc_inv'}),
    # An old CD also lets walks fill the caches again under the tag that it has.
    'drop-cfgi': ({'config-cache', 'walk-cache', 'tlb'}, {'cfgi', 'tlbi'}),
    'drop-sync': ({'tlb', 'atc', 'config-cache', 'walk-cache'}, {'sync'}),
    # What cleans an id before it is used again goes astray as well; then it shows far from where it struck.
    'wrong-id': ({'tlb', 'walk-cache', 'atc'}, {'tlbi', 'atc_inv of'}),
    'wrong-instance': ({'tlb', 'walk-cache', 'atc'}, {'tlbi', 'atc_inv on'}),
    'atc-first': ({'atc'}, {'tlbi before atc_inv'}),
    # Memory too: a page that is mapped lands where the table that was freed leads to.
    'early-free': ({'walk-cache', 'tlb', 'atc', 'config-cache', 'memory'}, {'sync before free'}),
    'torn-pair': ({'config-cache', 'tlb', 'walk-cache', 'atc', 'memory'}, {'atomicity'}),
    'no-barrier': ({'tlb', 'atc', 'walk-cache', 'memory'}, {'barrier', 'none'}),
}
SURVIVED = ['atc-timeout', 'cmd-error', 'cmd-abort', 'slow-sync', 'event-overflow', 'alloc-fail']
KEYS = ['result', 'design', 'device', 'seed', 'smmus', 'devices', 'ats', 'threads', 'ops', 'maps',
        'unmaps', 'attaches', 'detaches', 'removals', 'dma', 'blocked', 'stale', 'quarantined',
        'survived', 'unconfirmed', 'revived', 'faults', 'commands', 'driver', 'unmap_ns', 'interrupted',
        'stopped', 'violations']


def run(*args):
    p = subprocess.run([SMMUV3, *map(str, args)], capture_output=True, text=True, timeout=250)
    return p.returncode, p.stdout, p.stderr


class Bench(unittest.TestCase):
    """Figures that are exact hold what they promise; of the others only that they are there."""

    def test_short(self):
        rc, out, err = run('bench', '--short', '--trace', TRACE, '--json', '-')
        # Without valgrind nobody counts instructions, and without its header not even the program is there.
        for line in err.splitlines():
            self.assertRegex(line, 'valgrind|left out: (something|its program) is not installed')
        self.assertEqual(rc, 0)
        tables = {t['name']: t for t in json.loads(out)['benchmarks']}
        self.assertEqual(set(tables), {
            'instances', 'latencies', 'slow-one', 'guests', 'trace', 'commands', 'atc-spans', 'attach', 'lookup', 'interrupts', 'designs',
            'instructions', 'threads', 'threads-ahead', 'threads-scaling', 'locks', 'grace', 'startup', 'startup-memory', 'memory',
            'simulator', 'others'})

        def value(table, design, **params):
            found = [r['value'] for r in tables[table]['rows']
                     if r['design'] == design and all(r.get(k) == v for k, v in params.items())]
            self.assertEqual(len(found), 1, (table, design, params))
            return found[0]
        for ats in (0, 1, 4):
            def unmap(design, smmus, rate=0):
                return value('instances', design, smmus=smmus, ats=ats, cpu_rate=rate)
            self.assertLessEqual(unmap('sweep', 4), 1.05 * unmap('sweep', 1))
            self.assertGreater(unmap('serial', 4), 3.9 * unmap('serial', 1))
            for design in ('sweep', 'serial', 'list', 'flush'):
                # The processor takes its time in each, more for more SMMUs.
                added = [unmap(design, n, 3000) - unmap(design, n) for n in (1, 4)]
                self.assertGreater(added[0], 40)
                self.assertGreater(added[1], added[0])
            # Also with it, waiting once is less than waiting for each.
            self.assertLess(unmap('sweep', 4, 3000), unmap('serial', 4, 3000))
        for cpu in (0, 3000):
            self.assertLess(value('slow-one', 'sweep', smmus=8, slow_percent=200, cpu_rate=cpu),
                            value('slow-one', 'serial', smmus=8, slow_percent=200, cpu_rate=cpu))
        self.assertLessEqual(value('slow-one', 'sweep', smmus=8, slow_percent=200, cpu_rate=0),
                             1.05 * value('slow-one', 'sweep', smmus=1, slow_percent=200, cpu_rate=0))
        for atc in (1000, 10000, 100000):
            self.assertLessEqual(value('latencies', 'sweep', smmus=8, atc_ns=atc, sync_ns=550, cpu_rate=0),
                                 1.05 * value('latencies', 'sweep', smmus=1, atc_ns=atc, sync_ns=550, cpu_rate=0))
            self.assertGreater(value('latencies', 'sweep', smmus=1, atc_ns=atc, sync_ns=550, cpu_rate=0), atc)
        self.assertEqual(value('commands', 'sweep, most above the fewest'), 0)
        self.assertEqual(value('atc-spans', 'sweep', pages=7), 0)
        for t in tables.values():
            self.assertTrue(t.get('left_out') or (t['rows'] and t['unit']), t['name'])
            self.assertFalse(t.get('left_out') and t['rows'], t['name'])

    def test_named(self):
        rc, out, err = run('bench', 'instances', '--short', '--cpu-rate', 1000)
        self.assertEqual((rc, err), (0, ''))
        self.assertIn('cpu_rate 1000', out)
        # What is named has to be measured: without valgrind, or without the program that its header makes, there is nothing.
        p = subprocess.run([SMMUV3, 'bench', 'instructions'], capture_output=True, text=True, env={'PATH': '/nowhere'})
        self.assertEqual((p.returncode, p.stdout), (2, ''))
        self.assertRegex(p.stderr, 'valgrind, which is not installed|its program is not installed')

    def test_alone(self):
        # The command without the programs that lie beside it: what they measure is left out, and said to be.
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(SMMUV3, folder)
            p = subprocess.run([alone, 'bench', '--short', 'commands', '--json', '-'], capture_output=True, text=True, timeout=250)
            self.assertEqual((p.returncode, p.stderr), (0, ''))
            p = subprocess.run([alone, 'bench', '--short', '--json', '-'], capture_output=True, text=True, timeout=250)
            self.assertEqual(p.returncode, 0)
            self.assertIn('threads is left out: its program is not installed', p.stderr)
            out = {t['name'] for t in json.loads(p.stdout)['benchmarks'] if t.get('left_out')}
            self.assertLessEqual({'threads', 'startup', 'memory', 'instructions'}, out)

    def test_processor(self):
        """What the processor does takes time in a replay, if it is asked for."""
        times = [json.loads(run('replay', TRACE, '--design', 'sweep', '--json', '-', '--cpu-rate', rate)[1])
                 for rate in (0, 2000, 1000)]
        self.assertEqual([t['cpu_rate'] for t in times], [0, 2000, 1000])
        total = [t['unmap_ns']['total'] for t in times]
        # Half the rate, twice the time, to the nanosecond that each part is rounded to.
        self.assertAlmostEqual((total[2] - total[0]) / (total[1] - total[0]), 2, places=1)


class Usage(unittest.TestCase):
    def test_help(self):
        for args in (['--help'], ['help'], ['run', '--help'], ['replay', '--help'],
                     ['arrays', '--help'], ['help', 'run'], ['topology', '--help'],
                     ['decode', '--help']):
            rc, out, err = run(*args)
            self.assertEqual((rc, err), (0, ''), args)
            self.assertIn('usage: smmuv3', out)
        self.assertRegex(run('--version')[1], r'^smmuv3 \d+\.\d+\.\d+\n$')

    def test_wrong(self):
        for args, words in (
                ([], 'usage'),
                (['fly'], 'no command "fly"'),
                (['bench', 'speed'], 'no benchmark "speed"'),
                (['bench', '--wings'], 'no option "--wings"'),
                (['bench', '--json'], 'no value'),
                (['bench', '--cpu-rate', '0'], 'cpu-rate "0"'),
                (['replay', 'x', '--cpu-rate', 'fast'], 'cpu-rate'),
                (['run', '--wings', '2'], 'no option --wings'),
                (['run', '--thread', '2'], 'did you mean --threads?'),
                (['run', '-x'], 'no option -x'),
                (['replay', 'one', 'two'], 'unexpected argument "two"'),
                (['run', '--ops', '12x'], '--ops wants a number'),
                (['run', '--ops'], '--ops wants a value'),
                (['run', '--ops', '0'], 'from 1'),
                (['run', '--smmus', '65'], 'to 64'),
                (['run', '--ats', '5'], '--devices'),
                (['run', '--stage', '3'], '--stage wants'),
                (['run', '--stage', 'svas'], '--stage wants'),
                (['run', '--stage', '1,sva', '--non-coherent'], 'that are coherent'),
                (['run', '--stage', 'sva', '--device', 'qemu'], 'no substreams'),
                (['run', '--stage', 'sva', '--design', 'list'], "knows no owners' tables"),
                (['replay', TRACE, '--stage', 'sva'], "has no owners' tables"),
                (['run', '--stage', 'nested,'], '--stage wants'),
                (['run', '--stage', 'nested', '--design', 'serial'], 'knows no guests'),
                (['replay', TRACE, '--stage', 'nested'], 'has no guests'),
                (['run', '--page-faults', '--device', 'qemu'], 'neither stalls nor page requests'),
                (['run', '--resets', '--design', 'serial'], 'leave --design out'),
                (['run', '--resets', '--device', 'qemu'], 'leave --device qemu out'),
                (['run', '--tables', '--design', 'list'], 'leave --design out'),
                (['run', '--dirty', '--design', 'list'], 'leave --design out'),
                (['run', '--dirty', '--non-coherent'], 'leave --non-coherent out'),
                (['run', '--dirty', '--device', 'qemu'], 'leave --device qemu out'),
                (['run', '--adopt', '--design', 'list'], 'leave --design out'),
                (['run', '--life', '--device', 'qemu'], 'leave --device qemu out'),
                (['run', '--life', '--page-faults'], 'leave --life or --page-faults out'),
                (['run', '--inject', 'adopt-corrupt'], 'add --adopt'),
                (['run', '--design', 'magic'], 'sweep, serial, list or flush'),
                (['run', '--clock', 'sun'], 'virtual or real'),
                (['run', '--inject', 'rain'], 'drop-tlbi'),
                (['run', '--inject', 'drop-tlbi:0'], 'EVERY'),
                (['run', '--inject', 'no-barrier:x'], 'array_before_entry'),
                (['run', '--inject', 'drop-clean'], '--non-coherent'),
                (['run', '--inject', 'torn-pair', '--clock', 'real'], '--clock real'),
                (['run', '--interrupts', '--device', 'qemu'], '--device qemu'),
                (['run', '--interrupts', '--design', 'flush'], 'leave --interrupts out'),
                (['run', '--interrupts=1'], 'takes no value'),
                (['run', '--device', 'toaster'], 'model or qemu'),
                (['run', 'fast'], 'unexpected argument "fast"'),
                (['run', '--iort', 'a', '--dtb', 'b'], 'exclude each other'),
                (['run', '--iort', '/no/such/file'], '/no/such/file'),
                (['run', '--json', '/no/such/folder/x', '--ops', '1000000000'], '/no/such/folder/x'),
                (['arrays', '--json', '/'], '--json /'),
                (['replay'], 'wants a trace'),
                (['replay', '/no/such/trace'], '/no/such/trace'),
                (['arrays', '--ops', '3'], 'no meaning'),
        ):
            rc, out, err = run(*args)
            self.assertEqual(rc, 2, args)
            self.assertIn(words, err, args)


    def test_full(self):
        for args in (['--help'], ['--version'], ['run', '--help'], ['run', '--ops', '50'],
                     ['run', '--ops', '50', '--json', '-'], ['arrays'], ['topology'],
                     ['decode', 'cmd', '0', '0'], ['replay', TRACE, '--design', 'sweep']):
            with open('/dev/full', 'w') as full:
                p = subprocess.run([SMMUV3, *args], stdout=full, stderr=subprocess.PIPE, text=True,
                                   timeout=100)
            self.assertEqual(p.returncode, 2, args)
            self.assertIn('No space left', p.stderr, args)
        self.assertEqual(run('run', '--ops', 50, '--json', '/dev/full')[0], 2)

    def test_json_file(self):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, 'x')
            # Looking whether it can be written leaves nothing behind, and nothing is lost before the end.
            self.assertEqual(run('run', '--iort', '/no/such/file', '--json', name)[0], 2)
            self.assertEqual(os.listdir(folder), [])
            with open(name, 'w') as f:
                f.write('x' * 100000)
            self.assertEqual(run('run', '--iort', '/no/such/file', '--json', name)[0], 2)
            self.assertEqual(os.path.getsize(name), 100000)
            self.assertEqual(run('run', '--ops', 50, '--json', name)[0], 0)
            with open(name) as f:
                self.assertEqual(json.load(f)['ops'], 50)

    def test_help_is_complete(self):
        text = run('run', '--help')[1]
        for words in ('1 to 64', '(20000', 'drop-tlbi:20', 'cmd-abort:500', '--seconds', '--json'):
            self.assertIn(words, text)
        for line in text.splitlines():
            self.assertLessEqual(len(line), 100, line)


class Run(unittest.TestCase):
    def ok(self, *args):
        rc, out, err = run('run', '--json', '-', *args)
        self.assertEqual((rc, err), (0, ''), out)
        result = json.loads(out)
        self.assertEqual(result['result'], 'ok')
        self.assertEqual((result['stale'], result['lost'], result['violations']), (0, 0, []))
        return result, out

    def test_summary(self):
        rc, out, err = run('run', '--ops', 3000)
        self.assertEqual((rc, err), (0, ''))
        self.assertRegex(out, r'^ok: 3000 operations')
        self.assertIn('stale 0', out)

    def test_json(self):
        result, out = self.ok('--ops', 4000, '--stage', '1,2', '--seed', 5)
        for key in KEYS:
            self.assertIn(key, result)
        self.assertEqual(set(result['commands']), {'tlbi', 'atc_inv', 'cfgi', 'sync', 'other'})
        self.assertTrue({'p50', 'p99', 'max'} <= set(result['unmap_ns']))
        self.assertEqual((result['ops'], result['seed'], result['smmus'], result['devices'],
                          result['ats'], result['threads']), (4000, 5, 2, 8, 4, 4))
        self.assertTrue(result['blocked'] > 0 and result['dma'] > result['blocked'])
        for key in ('maps', 'unmaps', 'attaches', 'detaches'):
            self.assertGreater(result[key], 0, key)

    def test_driver_counts(self):
        result, out = self.ok('--ops', 3000, '--smmus', 3)
        driver = result['driver']
        for key in ('tlbi', 'atc_inv', 'cfgi'):
            self.assertEqual(driver[key], result['commands'][key])
        self.assertGreaterEqual(driver['sweeps'], result['unmaps'])
        self.assertGreater(driver['entries'], driver['sweeps'])
        self.assertEqual((driver['sweeps_failed'], driver['quarantines']), (0, 0))

    def test_dump(self):
        rc, out, err = run('run', '--ops', 500, '--smmus', 2, '--domains', 2, '--dump')
        self.assertEqual(rc, 0)
        for words in ('smmu0: registers: CR0 0x', 'smmu1: command queue: runs', 'smmu1: ASIDs in use',
                      'smmu0: counters: TLBI', 'domain 1\n', 'domain: stage 1', ': ASID '):
            self.assertIn(words, err)
        self.assertEqual(out, run('run', '--ops', 500, '--smmus', 2, '--domains', 2)[1])

    def test_guests(self):
        """Guests with tables of their own: what they take away, and what is taken from them, is gone."""
        result, out = self.ok('--ops', 6000, '--stage', 'nested', '--smmus', 3)
        self.assertGreater(result['guests'], 50)
        self.assertEqual((result['stale'], result['lost']), (0, 0))
        self.ok('--ops', 6000, '--stage', '1,2,nested', '--domains', 6, '--interrupts', '--seed', 2)
        self.ok('--ops', 4000, '--stage', 'nested,1', '--non-coherent', '--seed', 3)
        self.ok('--ops', 4000, '--stage', 'nested', '--inject', 'atc-timeout:200', '--inject', 'alloc-fail', '--seed', 4)
        rc, out, err = run('run', '--ops', 6000, '--stage', 'nested', '--inject', 'drop-tlbi')
        self.assertEqual(rc, 1, out + err)

    def test_owners(self):
        """Tables that somebody else owns: notices, new ASIDs, owners that go and leave devices at work."""
        result, out = self.ok('--ops', 6000, '--stage', 'sva', '--smmus', 3)
        self.assertGreater(result['renumbered'], 20)
        self.assertGreater(result['released'], 10)
        self.ok('--ops', 6000, '--stage', '1,2,nested,sva', '--domains', 8, '--interrupts', '--resets', '--seed', 2)
        self.ok('--ops', 5000, '--stage', 'sva,1', '--joins', '--seed', 3)
        self.ok('--ops', 4000, '--stage', 'sva,2', '--inject', 'atc-timeout:200', '--inject', 'alloc-fail', '--seed', 4)
        self.ok('--ops', 4000, '--stage', 'sva', '--clock', 'real')
        for fault in 'drop-tlbi', 'drop-atc', 'early-free':
            rc, out, err = run('run', '--ops', 20000, '--stage', 'sva', '--inject', fault)
            self.assertEqual(rc, 1, fault + out + err)

    def test_page_faults(self):
        """Accesses that wait for a page: each is answered once, and one that is tried again sees what is mapped by then."""
        result, out = self.ok('--ops', 20000, '--stage', '1,sva', '--domains', 4, '--smmus', 3, '--page-faults')
        faults = result['page_faults']
        for key, least in (('handed_out', 5000), ('answered', 3000), ('ended', 50), ('turned_away', 100), ('groups', 1000),
                           ('overflows', 5), ('tried_again', 1000), ('landed', 100)):
            self.assertGreater(faults[key], least, key)
        self.assertNotIn('page_faults', self.ok('--ops', 500)[0])
        self.ok('--ops', 8000, '--stage', '1,2,nested,sva', '--domains', 8, '--page-faults', '--interrupts', '--resets', '--seed', 2)
        self.ok('--ops', 4000, '--stage', '1,2', '--page-faults', '--non-coherent', '--seed', 3)
        self.ok('--ops', 4000, '--page-faults', '--inject', 'atc-timeout:200', '--inject', 'alloc-fail', '--inject', 'event-overflow',
                '--seed', 4)
        self.ok('--ops', 4000, '--stage', '1,2', '--page-faults', '--clock', 'real')

    def test_repeats(self):
        args = ('--ops', 5000, '--smmus', 3, '--stage', '2,1', '--seed')
        self.assertEqual(self.ok(*args, 9)[1], self.ok(*args, 9)[1])
        self.assertNotEqual(self.ok(*args, 9)[1], self.ok(*args, 10)[1])

    def test_shapes(self):
        self.ok('--ops', 1500, '--smmus', 40, '--devices', 2)
        self.ok('--ops', 3000, '--devices', 12, '--domains', 8, '--stage', '1,2', '--threads', 9)
        self.ok('--ops', 1500, '--smmus', 1, '--devices', 1, '--ats', 0, '--threads', 1)
        self.ok('--ops', 2000, '--domains', 5, '--stage', 2)
        for design in ('serial', 'list', 'flush'):
            self.ok('--ops', 3000, '--design', design)
            self.assertEqual(run('run', '--design', design, '--inject', 'drop-tlbi')[0], 1, design)
        self.ok('--ops', 1000000000000, '--seconds', 1, '--threads', 1, '--clock', 'real')
        self.ok('--ops', 2000, '--iort', os.path.join(DATA, 'two-smmus.iort'))
        self.ok('--ops', 2000, '--dtb', os.path.join(DATA, 'virt-smmuv3.dtb'))

    def test_signals(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            for clock in ('virtual', 'real'):
                p = subprocess.Popen([SMMUV3, 'run', '--ops', '1000000000000', '--json', '-',
                                      '--clock', clock], stdout=subprocess.PIPE, text=True)
                # It is up once it catches the signal.
                caught = 0
                while not caught >> (sig - 1) & 1:
                    with open('/proc/%d/status' % p.pid) as f:
                        caught = int(re.search(r'SigCgt:\s*([0-9a-f]+)', f.read())[1], 16)
                    time.sleep(0.01)
                p.send_signal(sig)
                p.send_signal(sig)
                result = json.loads(p.communicate(timeout=100)[0])
                self.assertEqual(p.returncode, 0)
                self.assertEqual((result['result'], result['interrupted']), ('ok', True))

    def test_worlds(self):
        for seed in (1, 2):
            self.ok('--ops', 4000, '--stage', '1,2', '--interrupts', '--seed', seed)
            self.ok('--ops', 4000, '--stage', '1,2', '--non-coherent', '--seed', seed)
            self.ok('--ops', 4000, '--stage', '1,2', '--interrupts', '--non-coherent', '--seed', seed)
            self.ok('--ops', 20000, '--stage', '1,2', '--inject', 'dirty-start', '--seed', seed)
        args = ('--ops', 3000, '--interrupts', '--stage', '1,2')
        self.assertEqual(self.ok(*args)[1], self.ok(*args)[1])

    def test_all_at_once(self):
        faults = ('atc-timeout', 'cmd-error', 'cmd-abort', 'slow-sync', 'event-overflow', 'alloc-fail', 'atc-slow',
                  'pause', 'queue-dead', 'dirty-start')
        inject = [word for fault in faults for word in ('--inject', fault)]
        for more in ((), ('--interrupts',)):
            self.ok('--ops', 20000, '--stage', '1,2', *inject, *more)

    def test_resets(self):
        self.assertGreater(self.ok('--ops', 5000, '--stage', '1,2,nested', '--resets')[0]['resets'], 50)
        self.ok('--ops', 5000, '--resets', '--interrupts', '--inject', 'atc-timeout:300')

    def test_tables(self):
        """Blocks change their size under DMA that must not fault."""
        result = self.ok('--ops', 10000, '--stage', '1,2,nested', '--domains', 6, '--tables')[0]
        for what, least in ('splits', 100), ('joined', 3), ('reclaimed', 10):
            self.assertGreater(result[what], least, what)
        self.ok('--ops', 5000, '--tables', '--dirty', '--interrupts', '--resets', '--seed', 2)
        self.ok('--ops', 5000, '--tables', '--non-coherent', '--inject', 'alloc-fail', '--inject', 'queue-dead:1000', '--seed', 3)
        self.ok('--ops', 5000, '--tables', '--dirty', '--clock', 'real')

    def test_dirty(self):
        """What devices write is tracked: nothing is missing, whatever else goes on."""
        result = self.ok('--ops', 8000, '--stage', '1,2,nested', '--domains', 6, '--dirty')[0]
        self.assertGreater(result['dirty_reads'], 500)
        self.assertGreater(result['dirty_pages'] - result['dirty_over'], 500)
        self.ok('--ops', 4000, '--stage', '1,sva,2', '--dirty', '--interrupts', '--resets', '--seed', 2)
        self.ok('--ops', 4000, '--dirty', '--inject', 'queue-dead:1000', '--inject', 'atc-timeout:200', '--seed', 3)
        self.ok('--ops', 4000, '--dirty', '--clock', 'real')
        self.ok('--ops', 4000, '--dirty', '--joins', '--seed', 4)

    def test_life(self):
        result = self.ok('--ops', 10000, '--stage', '1,2,nested', '--life')[0]
        self.assertGreater(result['suspends'], 5)
        self.assertGreater(result['returns'], 2)
        self.assertGreater(result['reserved'], 2)
        self.ok('--ops', 5000, '--life', '--adopt', '--resets', '--interrupts', '--seed', 2)

    def test_adopt(self):
        result = self.ok('--ops', 10000, '--stage', '1,2,nested', '--adopt')[0]
        self.assertGreater(result['adoptions'], 4)
        self.assertGreater(result['taken_over'], 5)
        result = self.ok('--ops', 10000, '--adopt', '--inject', 'adopt-corrupt:1')[0]
        self.assertGreater(result['faults'][0]['struck'], 4)
        self.ok('--ops', 5000, '--adopt', '--resets', '--interrupts', '--non-coherent')
        # Others are in the domain to which a device is led.
        self.ok('--ops', 20000, '--adopt', '--stage', 2, '--domains', 1, '--devices', 12, '--interrupts', '--seed', 7)

    def test_joins(self):
        self.ok('--ops', 10000, '--domains', 1, '--joins')
        self.ok('--ops', 5000, '--stage', '1,2', '--joins', '--interrupts')

    def test_masked(self):
        result = self.ok('--ops', 2000, '--interrupts')[0]
        self.assertTrue(0 < result['masked']['points'] < 200, result['masked'])
        self.assertNotIn('masked', self.ok('--ops', 200)[0])

    def test_real_clock(self):
        self.ok('--ops', 2000, '--clock', 'real', '--threads', 4)
        self.ok('--ops', 2000, '--clock', 'real', '--threads', 4, '--interrupts')


class Faults(unittest.TestCase):
    def test_caught(self):
        for fault, (held, missing) in CAUGHT.items():
            rc, out, err = run('run', '--json', '-', '--inject', fault, '--ops', 60000)
            result = json.loads(out)
            self.assertEqual((rc, result['result']), (1, 'violation'), fault)
            self.assertGreater(result['stale'] + result['lost'], 0, fault)
            for v in result['violations']:
                self.assertIn(v['held_by'], held, (fault, v))
                self.assertTrue(any(v['missing'].startswith(m) for m in missing), (fault, v))
                self.assertIn('seed 1', v['text'])
                self.assertTrue({'iova', 'stream', 'smmu'} <= set(v))

    def test_cleans(self):
        rc, out, err = run('run', '--json', '-', '--inject', 'drop-clean', '--non-coherent')
        self.assertEqual(rc, 1)
        for v in json.loads(out)['violations']:
            self.assertEqual(v['missing'], 'clean', v)

    def test_quirks(self):
        self.ok_with_errata()
        rc, out, err = run('run', '--json', '-', '--smmus', 8, '--stage', '1,2', '--inject', 'no-quirk')
        result = json.loads(out)
        self.assertEqual((rc, result['result']), (1, 'violation'))
        self.assertGreater(result['stale'], 0)
        # What the SMMUs are that it happened on, and how they choose.
        self.assertTrue(any('errata=1' in text for text in result['described']), result['described'])
        rc, out, err = run('run', '--inject', 'no-quirk', '--smmus', 2)
        self.assertEqual(rc, 2)
        self.assertIn('never struck', err)

    def ok_with_errata(self):
        rc, out, err = run('run', '--smmus', 8, '--stage', '1,2', '--ops', 5000)
        self.assertEqual((rc, err), (0, ''), out)

    def test_litmus(self):
        # A run that misses a barrier says who does not.
        rc, out, err = run('run', '--inject', 'no-barrier:outq_record_before_cons', '--ops', 500)
        self.assertEqual(rc, 0)
        self.assertIn('proofs/litmus/outq-cons.lit', re.sub(r'\s+', '', out))
        rc, out, err = run('run', '--json', '-', '--inject', 'no-barrier:map_leaves_visible')
        fault = json.loads(out)['faults'][0]
        self.assertEqual((rc, fault['litmus']), (1, 'map-leaves'))

    def test_said(self):
        rc, out, err = run('run', '--inject', 'drop-atc', '--seed', 4)
        self.assertEqual(rc, 1)
        for words in ('VIOLATION', 'held by atc', 'missing: atc_inv', '--seed 4', 'stopped here',
                      'there are 10 violations'):
            self.assertIn(words, out)
        for line in out.splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_never_struck(self):
        for args in (['--ats', '0', '--inject', 'drop-atc'], ['--inject', 'cmd-error:1000000'],
                     ['--ops', '40', '--inject', 'early-free'],
                     ['--inject', 'slow-sync', '--inject', 'drop-tlbi:1000000']):
            rc, out, err = run('run', *args)
            self.assertEqual(rc, 2, args)
            self.assertIn('never struck', err)
            self.assertIn('struck 0 times', out)
            self.assertIn(args[-1], err)
        rc, out, err = run('replay', TRACE, '--ats', '0', '--inject', 'drop-atc')
        self.assertEqual(rc, 2)
        self.assertIn('never struck', err)

    def test_honest_errors(self):
        # What was not confirmed may still be reached, and the call said so.
        for seed in (1, 2):
            for fault in ('cmd-error:20', 'cmd-error:5', 'cmd-abort:2'):
                rc, out, err = run('run', '--inject', fault, '--ops', 4000, '--seed', seed, '--json',
                                   '-')
                result = json.loads(out)
                self.assertEqual((rc, result['result']), (0, 'ok'), (fault, result['violations']))
                self.assertGreater(result['faults'][0]['struck'], 0)

    def test_survived(self):
        for fault in SURVIVED:
            rc, out, err = run('run', '--json', '-', '--inject', fault, '--ops', 8000)
            result = json.loads(out)
            self.assertEqual((rc, result['result']), (0, 'ok'), (fault, result))
            self.assertGreater(result['survived'], 0, fault)

    def test_quarantine(self):
        rc, out, err = run('run', '--json', '-', '--inject', 'atc-timeout:500', '--ops', 8000)
        self.assertEqual(rc, 0, out)
        self.assertGreater(json.loads(out)['quarantined'], 0)


class Replay(unittest.TestCase):
    def test_designs(self):
        rc, out, err = run('replay', TRACE, '--smmus', 4, '--ats', 2, '--json', '-')
        self.assertEqual((rc, err), (0, ''))
        result = json.loads(out)
        for key in KEYS:
            self.assertIn(key, result)
        self.assertEqual((result['result'], result['design'], result['maps'], result['unmaps']),
                         ('ok', 'sweep', 12068, 6772))
        self.assertEqual([r['design'] for r in result['compare']], ['sweep', 'serial', 'list', 'flush'])
        sweep, serial = result['compare'][:2]
        self.assertEqual(sweep['commands']['tlbi'], serial['commands']['tlbi'])
        # Four SMMUs alike: one after the other takes nearly four times as long.
        for other in result['compare'][1:]:
            self.assertGreater(other['unmap_ns']['p50'], 3 * sweep['unmap_ns']['p50'])

    def test_table(self):
        rc, out, err = run('replay', TRACE)
        self.assertEqual((rc, err), (0, ''))
        for words in ('stale 0', 'sweep', 'serial', 'ATC_INV'):
            self.assertIn(words, out)

    def test_fault(self):
        rc, out, err = run('replay', TRACE, '--inject', 'drop-tlbi:100', '--json', '-')
        self.assertEqual(rc, 1)
        self.assertEqual({v['missing'] for v in json.loads(out)['violations']}, {'tlbi'})

    def test_bad_trace(self):
        with tempfile.NamedTemporaryFile('w', suffix='.trace') as f:
            f.write('# tracer: nop\n x-1 [0] ..... 1.0: map: IOMMU: iova=0x1000 - 0x2000 '
                    'paddr=0x3000 size=4097\n')
            f.flush()
            rc, out, err = run('replay', f.name)
            self.assertEqual((rc, out), (2, ''))
            self.assertIn(f.name + ': ', err)
            self.assertIn('line 2: size=4097: expected', err)


class Arrays(unittest.TestCase):
    def test_arrays(self):
        rc, out, err = run('arrays', '--smmus', 2, '--devices', 4, '--ats', 1, '--domains', 1,
                           '--json', '-')
        self.assertEqual((rc, err), (0, ''))
        (domain,) = json.loads(out)['domains']
        self.assertEqual([(e['smmu'], e['kind'], e['users']) for e in domain['operations']],
                         [(0, 's1-asid', 4), (0, 'ats', 1), (1, 's1-asid', 4), (1, 'ats', 1)])
        rc, out, err = run('arrays', '--stage', '1,2')
        self.assertEqual(rc, 0)
        self.assertIn('s2-vmid', out)
        for stage, ats in ('nested', 'ats-full'), ('sva', 'ats'):
            rc, out, err = run('arrays', '--stage', stage, '--domains', 2, '--json', '-')
            self.assertEqual((rc, err), (0, ''))
            for domain in json.loads(out)['domains']:
                self.assertEqual(domain['stage'], stage)
                per = [[(e['kind'], e['id'], e['substream']) for e in domain['operations'] if e['smmu'] == i]
                       for i in range(2)]
                for mine in per:
                    if stage == 'nested':
                        # The guest's VMID, what was combined under it, and all of each ATC.
                        self.assertEqual([e[0] for e in mine[:2]], ['s2-vmid', 's1-clear'])
                        self.assertEqual(mine[0][1], mine[1][1])
                        mine = mine[1:]
                    else:
                        self.assertEqual(mine[0], ('s1-asid', per[0][0][1], None))
                        self.assertTrue(all(e[2] for e in mine[1:]))
                    self.assertEqual({e[0] for e in mine[1:]}, {ats})


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=1)
