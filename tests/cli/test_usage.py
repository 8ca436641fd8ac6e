#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the command says, of itself and of what it does not understand: usage: test_usage.py SMMUV3 DATA_FOLDER"""

import json
import os
import subprocess
import tempfile
import unittest

from command import PATIENCE, SMMUV3, TRACE, main, run


class Usage(unittest.TestCase):
    def test_help(self):
        for args in (['--help'], ['help'], ['run', '--help'], ['replay', '--help'],
                     ['arrays', '--help'], ['help', 'run'], ['topology', '--help'],
                     ['decode', '--help'], ['bench', '--help']):
            rc, out, err = run(*args)
            self.assertEqual((rc, err), (0, ''), args)
            self.assertIn('usage: smmuv3', out)
            for line in out.splitlines():
                self.assertLessEqual(len(line), 100, line)
            if len(args) > 1:
                self.assertIn('  --help  ', out)
        self.assertRegex(run('--version')[1], r'^smmuv3 \d+\.\d+\.\d+\n$')

    def test_wrong(self):
        for args, words in (
                ([], 'usage'),
                (['fly'], 'no command "fly"'),
                (['bench', 'speed'], 'no benchmark "speed"'),
                (['bench', '--wings'], 'no option --wings'),
                (['bench', '--shrt'], 'did you mean --short?'),
                (['bench', '--json'], '--json wants a value'),
                (['bench', '--json', '/no/such/folder/x', 'commands'], '/no/such/folder/x'),
                (['bench', '--timeline=/no/such/folder/x', 'commands'], '/no/such/folder/x'),
                (['bench', '--cpu-rate', '0'], '--cpu-rate wants a number'),
                (['bench', '--cpu-rate', '1', '--ops', '1'], '--ops has no meaning'),
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
            self.assertEqual((rc, out), (2, ''), args)
            self.assertIn(words, err, args)

    def test_full(self):
        for args in (['--help'], ['--version'], ['run', '--help'], ['run', '--ops', '50'],
                     ['run', '--ops', '50', '--json', '-'], ['arrays'], ['topology'],
                     ['decode', 'cmd', '0', '0'], ['replay', TRACE, '--design', 'sweep']):
            with open('/dev/full', 'w') as full:
                p = subprocess.run([SMMUV3, *args], stdout=full, stderr=subprocess.PIPE, text=True,
                                   timeout=PATIENCE)
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


if __name__ == '__main__':
    main()
