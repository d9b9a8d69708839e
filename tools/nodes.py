"""Does a training live through the loss of machines?

Four Ray nodes on this one (a head without workers, three with room for one), two workers on them.
The node of a worker is killed, then the learner's machine: the command with all its processes. The
run is resumed, and compared with one of local processes that nobody disturbed. `tools/nodes.py
[--steps N]`; needs the extra `ray`."""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from mario_rl.training.cluster import load_ray
from mario_rl.training.run_folder import read_csv

COMMAND = Path(sys.executable).with_name('mario_rl_train')
FLAGS = (
    '--level 1-1 --world-model --workers 2 --emulator auto --learn-start 3000 --wm-steps 150 '
    '--q-steps 300 --buffer-size 50000 '
    '--save-every 5 --no-ui --threads 1 --learner-steps'
)


def train(flags):
    return subprocess.run([COMMAND, *flags.split()], stdout=subprocess.DEVNULL).returncode


def wait_for(what, condition, log, seconds=300):
    "Wait for `condition`; end with the run's log if it does not come true."
    deadline = time.time() + seconds
    while not condition():
        if time.time() > deadline:
            sys.exit(f'not within {seconds} seconds: {what}\n{log()}')
        time.sleep(0.1)


def disturbed(folder, steps, ray_cluster):
    "A training on the cluster that loses a node, then its learner."
    run = folder / 'ray'
    nodes = [ray_cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20) for _ in range(3)]

    def log():
        return (run / 'training.log').read_text() if (run / 'training.log').exists() else ''

    def places():
        return re.findall(r'worker \d plays on \S+, node (\w+)', log())

    flags = f'{FLAGS} {steps} --engine ray --ray-address {ray_cluster.address} --run-dir {run}'
    process = subprocess.Popen([COMMAND, *flags.split()], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(
            'two workers and a row',
            lambda: len(places()) == 2 and (run / 'training.csv').exists() and len(read_csv(run)),
            log,
        )
        victim = next(node for node in nodes if node.node_id.startswith(places()[0]))
        ray_cluster.remove_node(victim, allow_graceful=False)
        wait_for('its worker elsewhere', lambda: len(places()) == 3 and 'node is gone' in log(), log)
        step = int(read_csv(run).step.max())
        wait_for('more rows', lambda: read_csv(run).step.max() > step, log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if train(f'--resume {run} --no-ui'):
        sys.exit(f'the resumed run failed\n{log()}')
    return run


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--steps', type=int, default=1500, help='learner steps (default: 1500)')
    args = parser.parse_args()
    load_ray(local=True)
    from ray.cluster_utils import Cluster

    ray_cluster = Cluster(
        initialize_head=True,
        head_node_args=dict(num_cpus=0, include_dashboard=False, object_store_memory=100 * 2**20),
    )
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = disturbed(Path(folder), args.steps, ray_cluster)
        finally:
            ray_cluster.shutdown()
        if train(f'{FLAGS} {args.steps} --run-dir {folder}/local'):
            sys.exit('the local run failed')
        print((run / 'training.log').read_text())
        last = {name: read_csv(Path(folder) / name).ffill().iloc[-1] for name in ('ray', 'local')}
        steps = read_csv(run).step
        print(
            pd.DataFrame(last).loc[
                ['step', 'env_steps', 'wm_explained', 'wm_ssim', 'q_mean', 'x_mean', 'seconds']
            ]
        )
    assert steps.is_monotonic_increasing and steps.is_unique and steps.iloc[-1] == args.steps, (
        'the table has a gap or a repeat'
    )


if __name__ == '__main__':
    main()
