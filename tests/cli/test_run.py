#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""smmuv3 run, from outside: usage: test_run.py SMMUV3 DATA_FOLDER"""

import json
import os
import re
import signal
import subprocess
import time
import unittest

from command import DATA, KEYS, PATIENCE, SMMUV3, main, run


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
        substreams = result['guest_substreams']
        self.assertGreater(substreams['blocked'], 1000)
        self.assertGreater(substreams['dma'], substreams['blocked'] + 200)
        self.assertGreater(substreams['past_stage_1'], 20)
        self.assertGreater(substreams['cds'], 20)
        self.ok('--ops', 6000, '--stage', '1,2,nested', '--domains', 6, '--interrupts', '--seed', 2)
        self.ok('--ops', 4000, '--stage', 'nested,1', '--non-coherent', '--seed', 3)
        self.assertEqual(self.ok('--ops', 500)[0]['guest_substreams'], {'dma': 0, 'blocked': 0, 'past_stage_1': 0, 'cds': 0})
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
        self.ok('--ops', 8000, '--stage', '1,sva', '--domains', 4, '--smmus', 3, '--page-faults', '--life', '--seed', 2)
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
                while not caught >> (sig - 1) & 1 and p.poll() is None:
                    with open('/proc/%d/status' % p.pid) as f:
                        caught = int(re.search(r'SigCgt:\s*([0-9a-f]+)', f.read())[1], 16)
                    time.sleep(0.01)
                p.send_signal(sig)
                p.send_signal(sig)
                result = json.loads(p.communicate(timeout=PATIENCE)[0])
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
        # Two whose SMMU is taken from a former owner, and then does not come up: it is nobody's.
        for seed in 16, 23:
            self.ok('--ops', 3000, '--adopt', '--life', '--inject', 'queue-dead:30', '--inject', 'dirty-start', '--seed', seed)
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


if __name__ == '__main__':
    main()
