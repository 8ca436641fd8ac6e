#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Timelines: are they JSON, do their spans nest, does every pair close, and do they tell what happened?

usage: test_timeline.py SMMUV3 DATA
"""
import json
import os
import subprocess
import tempfile
import unittest

from command import PATIENCE, SMMUV3, TRACE, main


def ns(us):
    return round(us * 1000)


class Timeline(unittest.TestCase):
    def run_with(self, *args, rc=0):
        """The events of a run, and its output."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 't.json')
            p = subprocess.run([SMMUV3, *map(str, args), '--timeline', path], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(p.returncode, rc, p.stderr)
            with open(path) as f:
                t = json.load(f)
        self.assertEqual(t['otherData'], {'clock': 'virtual', 'dropped': 0})
        return t['traceEvents'], p.stdout

    def well_formed(self, events):
        """Spans of one lane nest, asynchronous pairs close in order. Returns the spans by lane."""
        lanes, pairs = {}, {}
        for e in events:
            if e['ph'] == 'X':
                lanes.setdefault((e['pid'], e['tid']), []).append(e)
                self.assertGreaterEqual(e['dur'], 0)
            elif e['ph'] in 'be':
                pairs.setdefault((e['cat'], e['id']), []).append(e)
            else:
                self.assertEqual(e['ph'], 'M')
        for lane, spans in lanes.items():
            around = []
            for e in sorted(spans, key=lambda e: (ns(e['ts']), -ns(e['dur']))):
                end = ns(e['ts']) + ns(e['dur'])
                while around and around[-1] <= ns(e['ts']):
                    around.pop()
                self.assertTrue(not around or end <= around[-1], (lane, e))
                around.append(end)
        for pair in pairs.values():
            self.assertEqual([e['ph'] for e in pair], ['b', 'e'])
            self.assertLessEqual(ns(pair[0]['ts']), ns(pair[1]['ts']))
        named = {(e['pid'], e['tid']) for e in events if e['ph'] == 'M' and e['name'] == 'thread_name'}
        self.assertTrue(set(lanes) <= named)
        return lanes

    def test_one_wait(self):
        """The picture of the README: all SMMUs are in flight before the first wait, and one wait ends the call."""
        events, _ = self.run_with('bench', 'instances', '--short')
        lanes = self.well_formed(events)
        worker = [e for e in lanes[(1, 1)]]
        call = [e for e in worker if e['name'] == 'unmap'][-1]
        end = ns(call['ts']) + ns(call['dur'])
        inner = [e for e in worker if ns(call['ts']) <= ns(e['ts']) and e is not call]
        names = [e['name'] for e in sorted(inner, key=lambda e: ns(e['ts']))]
        self.assertEqual(names, ['submit'] * 4 + ['wait'])
        self.assertEqual(sorted(e['args']['smmu'] for e in inner if e['name'] == 'submit'), [0, 1, 2, 3])
        # Each submit took the processor's time, and they fill the call with the wait.
        for e in inner:
            self.assertGreater(e['dur'], 0)
        wait = max(inner, key=lambda e: ns(e['ts']))
        self.assertEqual(ns(wait['ts']) + ns(wait['dur']), end)
        for smmu in range(4):
            mine = [e for e in lanes[(100 + smmu, 1)] if ns(e['ts']) >= ns(call['ts']) and ns(e['ts']) <= end]
            # Commands of one queue come one after the other.
            mine.sort(key=lambda e: ns(e['ts']))
            for a, b in zip(mine, mine[1:]):
                self.assertLessEqual(ns(a['ts']) + ns(a['dur']), ns(b['ts']))
            # Four devices with ATS, and some have two streams.
            streams = len(mine) - 3
            self.assertGreaterEqual(streams, 4)
            self.assertEqual([e['name'] for e in mine],
                             ['CMD_TLBI_NH_VA', 'CMD_SYNC'] + ['CMD_ATC_INV'] * streams + ['CMD_SYNC'])
            atc = [e for e in events if e['pid'] == 100 + smmu and e.get('cat') == 'atc' and ns(e['ts']) >= ns(call['ts'])]
            self.assertEqual(len(atc), 2 * streams)
            # The last CMD_SYNC waits for the answer of each ATC, which takes a microsecond.
            last = ns(mine[-1]['ts']) + ns(mine[-1]['dur'])
            for e in atc:
                self.assertLessEqual(ns(e['ts']), last)

    def test_runs(self):
        for args in ((), ('--interrupts',), ('--non-coherent',), ('--smmus', 5, '--design', 'serial'),
                     ('--inject', 'atc-timeout'), ('--inject', 'cmd-error', '--inject', 'slow-sync')):
            events, out = self.run_with('run', '--ops', 2500, *args)
            lanes = self.well_formed(events)
            names = {e['name'] for lane in lanes.values() for e in lane}
            self.assertTrue({'map', 'unmap', 'submit', 'wait', 'CMD_SYNC'} <= names, names)
            # Looking on changes nothing.
            p = subprocess.run([SMMUV3, 'run', '--ops', '2500', *map(str, args)], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(p.stdout, out)

    def test_replay(self):
        events, _ = self.run_with('replay', TRACE, '--smmus', 2, '--json', '-')
        lanes = self.well_formed(events)
        unmaps = [e for e in lanes[(1, 1)] if e['name'] == 'unmap']
        self.assertGreater(len(unmaps), 1000)

    def test_refused(self):
        for args, words in ((('--timeline', '/nowhere/t'), '--timeline /nowhere/t'),
                            (('--timeline', 't', '--clock', 'real'), 'leave --clock real out')):
            p = subprocess.run([SMMUV3, 'run', *args], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((p.returncode, p.stdout), (2, ''))
            self.assertIn(words, p.stderr)


if __name__ == '__main__':
    main()
