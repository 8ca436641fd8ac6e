#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command on QEMU's SMMUs, from outside: runs that are right, faults that are caught, QEMU missing and dying.

usage: test_command.py SMMUV3 DATA FETCH
Exit status 77: no QEMU can be had here.
"""
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SMMUV3, DATA, FETCH = sys.argv[1:4]
QEMU = None
PATIENCE = 600  # a busy machine


def smmuv3(*args, env=None):
    return subprocess.run([SMMUV3, *args], capture_output=True, text=True, timeout=PATIENCE,
                          env=dict(os.environ, SMMUV3_QEMU=QEMU) if env is None else env)


def run(*args, command=("run",), env=None):
    """The exit status and what the JSON says."""
    p = smmuv3(*command, "--device", "qemu", *args, "--json", "-", env=env)
    if p.returncode not in (0, 1):
        raise AssertionError(f"status {p.returncode}: {p.stderr}")
    return p.returncode, json.loads(p.stdout)


def parents():
    """The parent of each process."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                found[int(pid)] = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    return found


def qemu_of(pid):
    """QEMU is the child of the supervisor, which is the command's child; None while it is not there."""
    parent = parents()
    for child, its in parent.items():
        if parent.get(its) == pid:
            return child
    return None


class Right(unittest.TestCase):
    def check(self, *args, **kw):
        status, r = run(*args, **kw)
        self.assertEqual((status, r["result"], r["violations"]), (0, "ok", []), args)
        # Somebody else's signal ends a run as Ctrl-C does: well, and with nothing to show.
        self.assertFalse(r.get("interrupted"), f"{args}: a signal from outside ended it after {r['ops']} operations")
        self.assertEqual((r["device"], r["ats"], r["stale"], r["lost"]), ("qemu", 0, 0, 0))
        self.assertGreater(r["commands"]["tlbi"], 0)
        # Both verdicts were asked for often, or the run has shown nothing.
        self.assertGreater(r["blocked"], r["dma"] // 10)
        self.assertGreater(r["dma"] - r["blocked"], r["dma"] // 10)
        self.assertGreater(r["events"], 0)
        return r

    def test_stage1(self):
        r = self.check("--ops", "2000", "--seed", "1")
        self.assertEqual((r["smmus"], r["devices"], r["ops"]), (2, 8, 2000))

    def test_stage2(self):
        self.check("--ops", "2000", "--seed", "2", "--stage", "2")

    def test_guests(self):
        """Nested: guests with tables of their own, judged on somebody else's SMMU."""
        r = self.check("--ops", "1500", "--seed", "2", "--stage", "nested,2,1", "--domains", "4")
        self.assertGreater(r["guests"], 10)
        # Of each granule.
        r = self.check("--ops", "1500", "--seed", "2", "--stage", "nested", "--domains", "3")
        self.assertGreater(r["guests"], 10)

    def test_both_stages_on_many(self):
        r = self.check("--ops", "2000", "--seed", "3", "--stage", "1,2", "--domains", "4",
                       "--smmus", "8", "--devices", "7")
        self.assertEqual((r["smmus"], r["devices"]), (8, 56))

    def test_serial(self):
        self.check("--ops", "1000", "--design", "serial")

    def test_seed_repeats(self):
        args = ("--ops", "1000", "--seed", "77", "--stage", "1,2", "--inject", "cmd-error:200")
        a, b = run(*args), run(*args)
        self.assertEqual(a, b)

    def test_survives(self):
        for fault in "cmd-error:200", "alloc-fail":
            r = self.check("--ops", "2000", "--inject", fault)
            self.assertGreater(r["survived"], 0, fault)

    def test_replay(self):
        with tempfile.TemporaryDirectory() as tmp:
            piece = os.path.join(tmp, "piece.gz")
            with gzip.open(os.path.join(DATA, "nvme-iommu.trace.gz"), "rt") as whole, \
                    gzip.open(piece, "wt") as f:
                for line, _ in zip(whole, range(4000)):
                    f.write(line)
            r = self.check(command=("replay", piece))
            self.assertGreater(r["maps"], 500)
            self.assertGreater(r["unmaps"], 200)

    def test_tlb_never_full(self):
        """QEMU empties its TLB when it is full, and what should be stale is gone then: by its own trace it never is."""
        with tempfile.TemporaryDirectory() as tmp:
            log, wrapper = os.path.join(tmp, "log"), os.path.join(tmp, "qemu")
            with open(wrapper, "w") as f:
                f.write(f'#!/bin/sh\n[ "$1" != --version ] || exec "{QEMU}" --version\n'
                        f'exec "{QEMU}" "$@" -trace "smmu_iotlb_in*" -D "{log}"\n')
            os.chmod(wrapper, 0o755)
            r = self.check("--ops", "4000", env=dict(os.environ, SMMUV3_QEMU=wrapper))
            with open(log) as f:
                lines = f.readlines()
            self.assertGreater(sum("smmu_iotlb_insert" in l for l in lines), 500)
            # One is the driver's own, whenever an SMMU is brought up.
            self.assertEqual(sum("smmu_iotlb_inv_all" in l for l in lines),
                             r["smmus"] + r["removals"])


class Caught(unittest.TestCase):
    def caught(self, fault, held_by, missing, *args, seeds=("1", "2")):
        for seed in seeds:
            status, r = run("--seed", seed, "--inject", fault, *args)
            self.assertEqual((status, r["result"]), (1, "violation"), (fault, seed))
            for v in r["violations"]:
                self.assertIn(v["held_by"], held_by.split(), v)
                self.assertRegex(v["missing"], missing, v)

    def test_drop_tlbi(self):
        self.caught("drop-tlbi", "tlb", "^tlbi$")

    def test_drop_tlbi_stage2(self):
        self.caught("drop-tlbi", "tlb", "^tlbi$", "--stage", "2", seeds="3")

    def test_drop_cfgi(self):
        self.caught("drop-cfgi", "config-cache", "^cfgi$")

    def test_wrong_id(self):
        self.caught("wrong-id", "tlb", r"^tlbi with asid \d+$")

    def test_wrong_id_stage2(self):
        self.caught("wrong-id", "tlb", r"^tlbi with vmid \d+$", "--stage", "2", seeds="3")

    def test_wrong_instance(self):
        self.caught("wrong-instance", "tlb", r"^tlbi on smmu [01]$")

    def test_no_barrier(self):
        # Stores that linger show both ways: an array that a sweep misses, and a mapping that a walk misses.
        self.caught("no-barrier", "tlb memory", "^barrier$", seeds="1")


class Refused(unittest.TestCase):
    def refused(self, pattern, *args, env=None):
        p = smmuv3(*args, env=env)
        self.assertEqual(p.returncode, 2, args)
        self.assertEqual(p.stdout, "")
        self.assertRegex(p.stderr, pattern)

    def test_options(self):
        for args, pattern in (("--ats 1", "no ATS"), ("--clock real", "virtual clock"),
                              ("--smmus 9", "at most 8 SMMUs"), ("--devices 8", "at most 7 devices"),
                              ("--iort x", "leave --iort out"), ("--dtb x", "leave --dtb out"),
                              ("--threads 64", "fewer --threads")):
            self.refused(pattern, "run", "--device", "qemu", *args.split())

    def test_faults_of_the_model(self):
        for fault in ("drop-atc", "atc-first", "atc-timeout", "drop-sync", "slow-sync",
                      "early-free", "cmd-abort", "event-overflow"):
            self.refused(f"--inject {fault} cannot be shown", "run", "--device", "qemu",
                         "--inject", fault)

    def test_missing(self):
        with tempfile.TemporaryDirectory() as tmp:
            env = {k: v for k, v in os.environ.items() if k != "SMMUV3_QEMU"}
            self.refused("tools/fetch-qemu.sh", "run", "--device", "qemu",
                         env=dict(env, SMMUV3_CACHE=tmp, PATH=tmp))


class Dying(unittest.TestCase):
    def kill_qemu_of(self, p):
        """Kill a QEMU that has run for a while; a replay has several, one after the other."""
        begun = time.monotonic()
        while time.monotonic() < begun + PATIENCE:
            self.assertIsNone(p.poll(), "it was over before it could be disturbed")
            qemu = qemu_of(p.pid)
            time.sleep(0.5 if qemu else 0.01)
            if qemu and qemu_of(p.pid) == qemu:
                try:
                    os.kill(qemu, signal.SIGKILL)
                    return
                except ProcessLookupError:
                    pass
        self.fail("no QEMU came")

    def killed(self, *args):
        p = subprocess.Popen([SMMUV3, *args, "--device", "qemu"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=dict(os.environ, SMMUV3_QEMU=QEMU))
        try:
            self.kill_qemu_of(p)
            out, err = p.communicate(timeout=PATIENCE)
        finally:
            p.kill()
        self.assertEqual(p.returncode, 2, err)
        self.assertEqual(out, "")
        self.assertRegex(err, "QEMU was killed by signal 9")

    def test_run(self):
        self.killed("run", "--ops", "100000000")

    def test_replay(self):
        self.killed("replay", os.path.join(DATA, "nvme-iommu.trace.gz"))


def find_qemu():
    if "NO_QEMU" in os.environ:
        print("skipped: NO_QEMU is set", file=sys.stderr)
        sys.exit(77)
    p = subprocess.run([FETCH], stdout=subprocess.PIPE, text=True)
    if p.returncode == 77:
        print("skipped: no QEMU, and none can be fetched", file=sys.stderr)
        sys.exit(77)
    p.check_returncode()
    return p.stdout.splitlines()[-1]


if __name__ == "__main__":
    QEMU = find_qemu()
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
