"""Why an agent dies.

Play sticky episodes, and some decisions before each death try every action from a snapshot, many
times, on the game itself: `uv run --extra libretro tools/what_if.py
mario_rl/pretrained/1-1.safetensors --seconds 300 --out what_if.csv`. A row for each of those
decisions; for each action a: Q of it (`q_a`), the share of tries that survive (`alive_a`), and what
they return (`return_a`: discounted, with V where a try is broken off). The action that returned
most (`best`) is then tried as often again (`again_alive`, `again_return`): the first tries chose it
and flatter it."""

import argparse
import time
from itertools import count
from multiprocessing import get_context

import numpy as np
import pandas as pd
import torch

from mario_rl.config.settings import PROTOCOLS, ReplayConfig
from mario_rl.game.wrappers import executed_action, make_env
from mario_rl.play.evaluate import load_agent

BACK = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15)  # decisions before a death
AHEAD = 8  # beyond it
TRIES = 16  # of each action
GAMMA = ReplayConfig.gamma  # the seed that the first process begins with
FIRST = 7000  # the next begins 1,000 later


class Player:
    "An agent, a game of its own and `TRIES` more to try things in."

    def __init__(self, weights, level, emulator):
        torch.set_num_threads(1)
        agent = load_agent(weights)
        self.net = agent.act
        how = dict(
            actions=agent.settings['actions'],
            emulator=emulator,
            sticky=PROTOCOLS['sticky'].sticky,
            noop_max=30,
        )
        self.game, *self.others = (make_env(level, **how).unwrapped for _ in range(TRIES + 1))
        for game in self.others:
            game.reset()

    @torch.inference_mode()
    def q(self, observations) -> np.ndarray:  # (B, n_actions)
        last = torch.tensor([executed_action(obs[-1], self.net.actions) for obs in observations])
        return self.net.forward(torch.as_tensor(np.stack(observations)), last).numpy()

    def episode(self, seed) -> tuple:  # the (moment, Q, x) of each decision, and whether it ended in death
        obs, _ = self.game.reset(seed=seed)
        story = []
        over = False
        while not over:
            story.append((self.game.snapshot(), self.q([obs])[0], self.game.x))
            obs, _, terminated, truncated, info = self.game.step(int(story[-1][1].argmax()))
            over = terminated or truncated
        return story, terminated and not info['flag']

    def tried(
        self, moment, action, decisions, seed, turn=0
    ) -> tuple:  # share alive after so many decisions; mean return
        "Choose `action` at `moment`, then what the agent would, with new slips each time."
        chosen = np.full(TRIES, action)
        alive = np.ones(TRIES, bool)
        returned = np.zeros(TRIES)
        playing = np.ones(TRIES, bool)
        obs = [None] * TRIES
        for i, game in enumerate(self.others):
            game.restore(moment)
            game.np_random = np.random.default_rng((seed, action, i, turn))
        for k in range(decisions):
            for i in np.flatnonzero(playing):
                obs[i], reward, terminated, truncated, info = self.others[i].step(int(chosen[i]))
                returned[i] += GAMMA**k * reward
                alive[i] = not terminated or info['flag']
                playing[i] = not (terminated or truncated)
            if not playing.any():
                break
            q = self.q([obs[i] for i in np.flatnonzero(playing)])
            chosen[playing] = q.argmax(1)
        else:
            returned[playing] += GAMMA**decisions * q.max(1)
        return alive.mean(), returned.mean()


def work(weights, level, emulator, first, seconds) -> tuple:  # rows, episodes played, deaths
    player = Player(weights, level, emulator)
    end = time.time() + seconds
    rows = []
    deaths = 0
    for seed in count(first):
        if time.time() > end:
            return rows, seed - first, deaths
        story, died = player.episode(seed)
        deaths += died
        for back in BACK if died else ():
            if back > len(story):
                break
            moment, q, x = story[-back]
            alive, returned = zip(*(player.tried(moment, a, back + AHEAD, seed) for a in range(len(q))))
            told = {
                f'{name}_{a}': value
                for name, values in (('q', q), ('alive', alive), ('return', returned))
                for a, value in enumerate(values)
            }
            best = int(np.argmax(returned))
            again = player.tried(moment, best, back + AHEAD, seed, turn=1)
            rows.append(
                dict(seed=seed, back=back, x=x)
                | told
                | dict(best=best, again_alive=again[0], again_return=again[1])
            )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('weights')
    parser.add_argument('--level', default='1-1')
    parser.add_argument('--emulator', default='libretro')
    parser.add_argument('--seconds', type=float, default=300, help='after which no further episode begins')
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--out', required=True, help='a CSV file')
    args = parser.parse_args()
    with get_context('spawn').Pool(args.processes) as pool:
        tasks = [
            (args.weights, args.level, args.emulator, FIRST + 1000 * i, args.seconds)
            for i in range(args.processes)
        ]
        parts, episodes, deaths = zip(*pool.starmap(work, tasks))
    pd.DataFrame(sum(parts, [])).to_csv(args.out, index=False, float_format='%.4g')
    print(
        f'{sum(episodes)} episodes, {sum(deaths)} of them ended in a death; '
        f'tries from {sum(map(len, parts))} moments before it in {args.out}'
    )
