#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Would run.py notice? Commands that end ill, well or never, in place of `smmuv3`.

usage: tests/soak/test_run.py SMMUV3
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'run.py')
SMMUV3 = None
REPORT = '{"result": "%s", "ops": %d, "dma": 7, "stale": %d, "lost": 0, "violations": [%s]}'
# What a command does that was called as run.py calls it: its last argument is where its JSON goes.
GIVE = 'for out; do :; done; echo \'%s\' >"$out"; '


class Soak(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def soak(self, script, *args):
        command = os.path.join(self.folder.name, 'command')
        with open(command, 'w') as f:
            f.write('#!/bin/sh\n' + script + '\n')
        os.chmod(command, 0o755)
        return subprocess.run([RUN, '--command', command, '--logs', self.folder.name, '--jobs', '2', *args],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def expect(self, status, words, script, *args):
        r = self.soak(script, *(args or ('--seeds', '1', '--ops', '500', 'plain', 'nested')))
        self.assertEqual(r.returncode, status, r.stdout)
        self.assertRegex(r.stdout, words)
        return r.stdout

    def test_ok(self):
        out = self.expect(0, r'2 of 2 runs ended ok$', GIVE % (REPORT % ('ok', 500, 0, '')))
        self.assertIn('| all | 2 | 0 | 2 | 1,000 | 14 |', out)

    def test_ill(self):
        for words, script in ((r'exit status 1: 3 stale, 0 lost', GIVE % (REPORT % ('violation', 500, 3, '1')) + 'exit 1'),
                              (r'exit status 2: smmuv3 run: never struck', 'echo smmuv3 run: never struck; exit 2'),
                              (r'exit status 0: not a word', 'exit 0'),
                              (r'exit status 0: not a word', GIVE % (REPORT % ('ok', 499, 0, ''))),
                              (r'ended by SIGSEGV', 'kill -SEGV $$')):
            out = self.expect(1, r'0 of 2 runs ended ok$', script)
            self.assertEqual(len(re.findall(r'^\[\d/2\] FAIL \w+, seed 1: ' + words, out, re.M)), 2, out)
            self.assertRegex(out, r'command run --stage nested --domains 4 --ops 500 --seed 1\n')

    def test_no_end(self):
        self.expect(1, r'came to no end: SIG\w+ after 1 s', 'while :; do :; done', '--cpu-limit', '1', '--seeds', '1', '--ops', '1', 'plain')
        self.expect(1, r'came to no end: SIGKILL after 0 s', 'exec sleep 60', '--wall-limit', '1', '--seeds', '1', '--ops', '1', 'qemu')

    def test_faults(self):
        """All that the driver has to survive, as the command's help lists it, in every fourth seed; with interrupts."""
        text = subprocess.run([SMMUV3, 'run', '--help'], stdout=subprocess.PIPE, text=True, check=True).stdout
        survived = set(re.findall(r'^  ([a-z-]+):\d', text.split('The driver has to survive')[1], re.M))
        self.assertIn('atc-timeout', survived)
        for line in self.soak('', '--list', '--seeds', '20').stdout.splitlines():
            with_faults = int(re.search(r'--seed (\d+)', line)[1]) % 4 == 0
            self.assertEqual('--inject' in line, with_faults, line)
            if with_faults and 'qemu' not in line:
                self.assertEqual(set(re.findall(r'--inject (\S+)', line)),
                                 survived if '--adopt' in line else survived - {'adopt-corrupt'}, line)
                self.assertIn('--interrupts', line)

    def test_real(self):
        """The command itself, as it is and with a fault that its judge has to catch; each mode is one that it takes."""
        modes = [m for m in self.soak('exit 1', '--seeds', '1').stdout.split('\n|---')[1].split('\n') if m.startswith('| ')]
        modes = [m.split()[1] for m in modes if m.split()[1] not in ('all', 'qemu')]
        self.assertGreater(len(modes), 10)
        self.expect(0, r'ended ok$', 'exec %s "$@"' % SMMUV3, '--seeds', '1', '--ops', '300', *modes)
        self.expect(1, r'FAIL plain, seed 1: exit status 1: \d+ stale, \d+ lost', 'exec %s "$@" --inject drop-tlbi:2' % SMMUV3,
                    '--seeds', '1', '--ops', '5000', 'plain')


if __name__ == '__main__':
    SMMUV3 = os.path.abspath(sys.argv.pop(1))
    unittest.main()
