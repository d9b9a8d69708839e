"""Test notebooks, each in a process of its own.

They run side by side, the longest first; what measures the speed of several processes runs alone
after them. Ends with the five slowest and `N passed, N failed`. A notebook may take six times its
usual time (tools/seconds.json) and a minute. `--coverage` also says how much of mario_rl the
notebooks ran: exported cells run under their module's file name, and the processes that a notebook
starts count as well. Exit code 1 when a notebook fails or when none is chosen."""

import argparse
import atexit
import json
import os
import re
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from notebooks import ROOT, find, skipped, title
from processes import end

CHOSEN = os.environ.get('OMP_NUM_THREADS')  # who sets it knows better
# forking is safe as long as there is one thread; numpy and torch read this when they are loaded
os.environ['OMP_NUM_THREADS'] = '1'
from mario_rl.processes import cpu_count

ALONE = {'44_bench.play'}
# they start several processes: one of them at a time
MANY = {'35_training.train', '38_stress.faults', '40_stress.soak'}
# what each notebook takes on two quiet processors, written by --record
SECONDS = ROOT / 'tools/seconds.json'

COVERAGE = '''[run]
source = {root}/mario_rl
data_file = {folder}/data
core = sysmon
parallel = true
sigterm = true
patch = subprocess
omit = */_modidx.py
[report]
show_missing = true
'''


def absolute(lines, file):
    "The lines of a module with its relative imports written out, as they stand in its notebook."
    package = ['mario_rl', *file.relative_to(ROOT / 'mario_rl').parent.parts]

    def name(dots):
        return '.'.join(package[: len(package) + 1 - len(dots[1])]) + '.'

    return re.sub(r'\bfrom (\.+)', lambda dots: f'from {name(dots)}', '\n'.join(lines))


class AsModule:
    """Run an exported cell under the file name and line numbers it has in its module.

    A notebook defines its own code rather than importing it. Without this, a measure of the module would
    not see the notebook run it."""

    def __init__(self, nb):
        self.starts = {}

    def _default_exp_(self, cell, name):
        from nbdev.config import get_config

        self.file = get_config().lib_path / f'{name.replace(".", "/")}.py'
        self.lines = self.file.read_text(encoding='utf-8').splitlines()
        self.starts = {
            line.rpartition('#')[2]: n for n, line in enumerate(self.lines, 1) if line.startswith('# %% ')
        }

    def _export_(self, cell):
        start = self.starts[cell.id]
        source = cell.source.rstrip()
        there = self.lines[start : start + source.count('\n') + 1]
        assert absolute(there, self.file) == source, f'{self.file.name} is old: run nbdev_export'
        cell.source = f'exec(compile({"\n" * start + source!r}, {str(self.file)!r}, "exec"))'


@contextmanager
def measured(rcfile):
    """Note which lines run, here and in the processes started meanwhile, and run exported cells under
    their module's name."""
    import coverage
    import nbdev.test

    nbdev.test.FrontmatterProc = [nbdev.test.FrontmatterProc, AsModule]
    measure = coverage.Coverage(config_file=rcfile)
    measure.start()
    yield
    measure.stop()
    measure.save()


def test(file, rcfile, threads):
    "Test one notebook in this process, exactly as `nbdev_test` does it; returns whether it passed."
    import nbdev.test

    if 'torch' in sys.modules:
        sys.modules['torch'].set_num_threads(threads)
    with measured(rcfile) if rcfile else nullcontext():
        return nbdev.test.test_nb(file, skip_flags=skipped(), basepath=ROOT)[0]


def load_libraries():
    "Import once what nearly every notebook imports: a process that is forked has it already."
    import matplotlib.pyplot  # noqa: F401
    import nbdev.showdoc
    import nbdev.test  # noqa: F401
    import pandas  # noqa: F401
    import torch._dynamo  # noqa: F401


@dataclass
class Test:
    file: Path  # the notebook
    limit: float  # seconds
    folder: Path  # its temporary folder, and beside it a file with what it prints
    pid: int = 0
    start: float = 0.0
    seconds: float = 0.0
    passed: bool = False

    @property
    def output(self):
        return self.folder.with_suffix('.txt')

    def begin(self, rcfile, threads):
        "Start its process, in a session of its own."
        self.folder.mkdir()
        self.start = time.time()
        self.pid = os.fork()
        if self.pid:
            return
        code = 1
        try:
            os.setsid()
            # a shell that begins us in the background ignores it, and so would what a notebook
            # starts
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.chdir(ROOT / 'nbs')
            with open(os.devnull) as nothing:
                os.dup2(nothing.fileno(), 0)
            with self.output.open('w') as file:
                for stream in (1, 2):
                    os.dup2(file.fileno(), stream)
            os.environ.update(
                MARIO_RL_TEST=str(self.folder), TMPDIR=str(self.folder), OMP_NUM_THREADS=str(threads)
            )
            tempfile.tempdir = None  # it was read before
            code = int(not test(self.file, rcfile, threads))
        except BaseException:
            traceback.print_exc()
        finally:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def ended(self):
        "Whether it is over, and then nothing of it is left."
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        self.seconds = time.time() - self.start
        late = ''
        if not pid and self.seconds < self.limit:
            return False
        if not pid:
            os.kill(self.pid, signal.SIGKILL)
            status = os.waitpid(self.pid, 0)[1]
            late = f'stopped after {self.limit:g} seconds\n'
        self.passed = status == 0
        end(self.folder)
        print(
            f"{'passed' if self.passed else 'FAILED'}  {self.seconds:6.1f} s  {title(self.file)}", flush=True
        )
        if not self.passed:
            print(self.output.read_text(errors='replace') + late, flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        return True


def startable(waiting, running):
    "The first test that may begin now, or None."
    crowded = any(title(t.file) in MANY for t in running)
    return next((t for t in waiting if not (crowded and title(t.file) in MANY)), None)


def run(tests, jobs, rcfile, threads):
    "Run tests, `jobs` at a time, in this order."
    waiting = list(tests)
    running = []
    while waiting or running:
        while len(running) < jobs and (chosen := startable(waiting, running)):
            waiting.remove(chosen)
            running.append(chosen)
            chosen.begin(rcfile, threads)
        running = [t for t in running if not t.ended()]
        if select.select([sys.stdin], [], [], 0.05)[0]:
            sys.exit('tools/test.py was killed')  # it holds the other end


def report_coverage(rcfile):
    "Print which lines the tests ran."
    import coverage

    measure = coverage.Coverage(config_file=rcfile)
    measure.combine()
    measure.report()


def arguments():
    "What was asked for; `threads` are those of a notebook that runs beside others."
    parser = argparse.ArgumentParser(
        'tools/test.py', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'names', nargs='*', help='notebooks, like 10_replay.store, replay.store or a path (default: all)'
    )
    parser.add_argument(
        '--jobs',
        type=int,
        default=min(4, cpu_count()),
        help='notebooks at the same time (default: one for each processor, 4 at most)',
    )
    parser.add_argument(
        '--timeout', type=float, help='seconds each notebook may take (default: by its usual time)'
    )
    parser.add_argument('--record', action='store_true', help='note the times of those that pass as usual')
    parser.add_argument('--coverage', action='store_true', help='measure which lines of mario_rl ran')
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error('--jobs: at least 1')
    return args


def record(tests, usual):
    "Note the times of tests that passed, and forget notebooks that are gone."
    names = [title(file) for file in find([])]
    usual = usual | {title(t.file): round(t.seconds, 1) for t in tests if t.passed}
    SECONDS.write_text(json.dumps({name: usual[name] for name in names if name in usual}, indent=1) + '\n')


def slowest(tests, usual):
    "A line about the five slowest."
    tests = sorted(tests, key=lambda t: -t.seconds)[:5]
    times = [f"{title(t.file)} {t.seconds:.1f} s (usually {usual.get(title(t.file), '?')})" for t in tests]
    return 'slowest: ' + ', '.join(times)


def main(folder):
    args = arguments()
    usual = json.loads(SECONDS.read_text())

    def limit(name):
        return args.timeout or (60 + 6 * usual[name] if name in usual else 600)

    tests = [Test(file, limit(title(file)), folder / str(n)) for n, file in enumerate(find(args.names))]
    tests.sort(key=lambda t: -usual.get(title(t.file), 0))
    alone = [t for t in tests if title(t.file) in ALONE]
    together = [t for t in tests if title(t.file) not in ALONE]
    rcfile = folder / 'coverage' if args.coverage else None
    if rcfile:
        rcfile.write_text(COVERAGE.format(root=ROOT, folder=folder))
    if len(tests) > 1:
        load_libraries()
    for some, jobs in (together, min(args.jobs, len(together))), (alone, 1):
        run(some, jobs, rcfile, int(CHOSEN or max(1, cpu_count() // max(1, jobs))))
    if rcfile and tests:
        report_coverage(rcfile)
    if args.record:
        record(tests, usual)
    if tests:
        print(slowest(tests, usual))
    passed = sum(t.passed for t in tests)
    print(f'{passed} passed, {len(tests) - passed} failed', flush=True)
    return passed == len(tests) > 0


if __name__ == '__main__':
    if 'MARIO_RL_TEST' not in os.environ:
        sys.exit('call tools/test.py')
    folder = Path(os.environ['MARIO_RL_TEST'])  # made by tools/test.py for this run
    try:
        passed = main(folder)
    finally:
        end(folder)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(not passed)
