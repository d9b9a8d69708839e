"""Did a short training run with the world model work?

`tools/smoke.py RUN_FOLDER` fails if frames were black, if the world model's loss did not fall, or
if Q-values are not finite."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from mario_rl.game.wrappers import make_env


def curve_problems(log):
    "What is wrong with the rows of a training.csv."
    found = []
    values = {
        name: log[name].dropna().to_numpy() if name in log else np.empty(0)
        for name in ('wm_total_loss', 'wm_explained', 'q_mean', 'q_max', 'q_loss')
    }
    found += [f'{name} has no values' for name, v in values.items() if not len(v)]
    found += [
        f'{name} is not always finite' for name, v in values.items() if len(v) and not np.isfinite(v).all()
    ]
    loss = values['wm_total_loss']
    explained = values['wm_explained']
    if len(loss) < 3:
        found.append('too few rows to see the world model learn: more --learner-steps')
    elif not loss[-3:].mean() < 0.8 * loss[0]:
        found.append(f'wm_total_loss did not fall: {loss[0]:.3g} to {loss[-3:].mean():.3g}')
    if len(explained) and not explained[-1] > 0:
        found.append(f'the model explains nothing of the frames: {explained[-1]:.3g}')
    return found


def frame_problems(level='1-1', steps=20):
    "What is wrong with the observations an agent gets."
    env = make_env(level, seed=0)
    frames = [env.reset()[0]] + [env.step(1)[0] for _ in range(steps)]
    env.close()
    dull = sum(frame.max() < 64 or frame.std() < 8 for frame in frames)
    return [f'{dull} of {len(frames)} observations are black or blank'] if dull else []


if __name__ == '__main__':
    run = Path(sys.argv[1])
    found = [
        f'{name} is missing'
        for name in ('weights.pt', 'checkpoint.pt', 'config.json')
        if not (run / name).is_file()
    ]
    found += curve_problems(pd.read_csv(run / 'training.csv')) + frame_problems()
    sys.exit(
        '\n'.join(found)
        if found
        else print('frames are pictures, the world model learned, Q-values are finite')
    )
