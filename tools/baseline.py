"""Train stable-baselines3 on our environment for as long as our agent had, and judge it by our protocols.

`uv run --extra bench --extra libretro tools/baseline.py ppo --seconds 2700 --out
nbs/results/sb3_ppo`. Settings are those of RL Baselines3 Zoo for Atari. Writes OUT.csv (episodes),
OUT_start.json and OUT_sticky.json."""

import argparse
import json
import time
from pathlib import Path

import pandas as pd
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize

from mario_rl.game.wrappers import make_env
from mario_rl.play.evaluate import evaluate

LEARNERS = dict(
    ppo=(
        PPO,
        8,
        dict(
            n_steps=128,
            batch_size=256,
            n_epochs=4,
            ent_coef=0.01,
            learning_rate=lambda left: 2.5e-4 * left,
            clip_range=lambda left: 0.1 * left,
        ),
    ),
    dqn=(
        DQN,
        1,
        dict(
            buffer_size=100_000,
            learning_starts=20_000,
            batch_size=32,
            learning_rate=1e-4,
            train_freq=4,
            target_update_interval=1000,
            exploration_fraction=0.1,
            exploration_final_eps=0.01,
            optimize_memory_usage=True,
            replay_buffer_kwargs=dict(handle_timeout_termination=False),
        ),
    ),
)


class Clock(BaseCallback):
    "Stops after so many seconds; keeps how far each episode came."

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.start = time.time()
        self.rows = []

    def _on_step(self):
        ended = [info for info, done in zip(self.locals['infos'], self.locals['dones']) if done]
        passed = time.time() - self.start
        self.rows += [
            dict(
                decisions=self.num_timesteps,
                seconds=round(passed, 1),
                x=info['x_max'],
                flag=int(info['flag']),
            )
            for info in ended
        ]
        if ended and len(self.rows) % 200 == 0:
            recent = pd.DataFrame(self.rows[-40:])
            print(
                f'{passed:.0f} s, {self.num_timesteps:,} decisions, mean x {recent.x.mean():.0f}, '
                f'flags {sum(row["flag"] for row in self.rows)}',
                flush=True,
            )
        return passed < self.seconds


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('learner', choices=LEARNERS)
    parser.add_argument('--level', default='1-1')
    parser.add_argument('--emulator', default='libretro')
    parser.add_argument('--seconds', type=float, default=2700)
    parser.add_argument(
        '--decisions',
        type=int,
        default=1_000_000,
        help='what schedules are planned for; training stops there or at --seconds',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    learner, games, settings = LEARNERS[args.learner]
    envs = make_vec_env(
        lambda: make_env(args.level, emulator=args.emulator, sticky=0.25, noop_max=30),
        games,
        args.seed,
        vec_env_cls=SubprocVecEnv,
    )
    envs = VecNormalize(envs, norm_obs=False)  # rewards of the size that these settings are made for
    clock = Clock(args.seconds)
    model = learner('CnnPolicy', envs, seed=args.seed, device='cpu', **settings)
    model.learn(args.decisions, callback=clock)
    envs.close()
    pd.DataFrame(clock.rows).to_csv(f'{args.out}.csv', index=False)
    about = dict(decisions_trained=model.num_timesteps, checkpoint=f'stable-baselines3 {args.learner}')
    # with the likeliest action and, as Zoo does it for Atari, with a drawn one: the better counts
    for protocol in ('start', 'sticky'):
        results = [
            evaluate(
                lambda obs: int(model.predict(obs, deterministic=likeliest)[0]),
                args.level,
                protocol,
                emulator=args.emulator,
            )
            | about
            | dict(likeliest=likeliest)
            for likeliest in (True, False)
        ]
        for result in results:
            print(
                protocol,
                {
                    name: result[name]
                    for name in ('likeliest', 'clears', 'episodes', 'x_mean', 'decisions_trained')
                },
            )
        Path(f'{args.out}_{protocol}.json').write_text(
            json.dumps(max(results, key=lambda result: (result['clears'], result['x_mean']))) + '\n'
        )
