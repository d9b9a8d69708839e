"""Test notebooks, each in a process of its own: `tools/test.py`, or `tools/test.py 03_replay`. Some run side by side; those that
measure, or keep several processors busy themselves, run alone after them. Ends with `N passed, N failed`.
`--coverage` also says how much of mario_rl the notebooks ran: exported cells run under their module's file name, and
the processes that a notebook starts count as well. Exit code 1 when a notebook fails or when none is chosen."""
import argparse, os, signal, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from notebooks import ROOT, find, title

CORES = os.process_cpu_count() or 1
ALONE = {'13_train', '13a_faults', '13c_soak', '16a_bench_play', '16b_bench_replay', '16c_bench_learn', '17_bench'}

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

def test(file, timeout, rcfile, jobs):
    "Test one notebook, `jobs` at a time; returns whether it passed, its seconds, and what to show if it did not."
    measured = ['-m', 'coverage', 'run', f'--rcfile={rcfile}'] if rcfile else []
    start, how = time.time(), ['--as-module'] if rcfile else []
    env = dict(OMP_NUM_THREADS=str(max(1, CORES//jobs))) | os.environ # who sets it knows better
    child = subprocess.Popen([sys.executable, *measured, ROOT/'tools/nbtest.py', file, *how], cwd=ROOT/'nbs', env=env, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try: output = child.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output = child.communicate()[0] + f'stopped after {timeout:g} seconds\n'
    return child.returncode == 0, time.time() - start, output

def run(files, jobs, timeout, rcfile):
    "Test notebooks, `jobs` at a time, and report each; returns which passed."
    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for file, (passed, seconds, output) in zip(files, pool.map(lambda file: test(file, timeout, rcfile, jobs), files)):
            print(f"{'passed' if passed else 'FAILED'}  {seconds:6.1f} s  {title(file)}", flush=True)
            if not passed: print(output, flush=True)
            results.append(passed)
    return results

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='*', help='notebooks, like 03_replay, replay or a path (default: all)')
    parser.add_argument('--jobs', type=int, default=min(4, CORES), help='notebooks at the same time (default: one for each processor, 4 at most)')
    parser.add_argument('--timeout', type=float, default=600, help='seconds one notebook may take (default: 600)')
    parser.add_argument('--coverage', action='store_true', help='measure which lines of mario_rl ran')
    args, results = parser.parse_args(), []
    if args.jobs < 1: parser.error('--jobs: at least 1')
    found = find(args.names)
    alone = [file for file in found if title(file) in ALONE]
    together = [file for file in found if file not in alone]
    with tempfile.TemporaryDirectory() as folder:
        rcfile = Path(folder)/'rc' if args.coverage else None
        if rcfile: rcfile.write_text(COVERAGE.format(root=ROOT, folder=folder))
        for files, jobs in (together, min(args.jobs, len(together))), (alone, 1):
            if files: results += run(files, jobs, args.timeout, rcfile)
        if rcfile and found:
            for step in ('combine', '--quiet'), ('report',): subprocess.run([sys.executable, '-m', 'coverage', *step, f'--rcfile={rcfile}'], cwd=ROOT)
    print(f'{sum(results)} passed, {len(results) - sum(results)} failed', flush=True)
    sys.exit(not all(results) or not results)

if __name__ == '__main__': main()
