"""Put an agent and its card into the package: `tools/pretrained.py RUN_FOLDER "COMMAND THAT TRAINED IT"`.

The agent is the run's `weights.pt`; the card says how the file that is shipped was judged by both
protocols."""

import sys
from pathlib import Path

from mario_rl.config.settings import PROTOCOLS
from mario_rl.play.evaluate import evaluate, load_agent
from mario_rl.training.checkpoint import load_weights, save_safetensors

CARD = """# Agent for level {level}

Made by

    {command}

and not chosen: it is what that command left (`weights.pt`), after {decisions_trained:,} decisions and
{learner_step:,} learner steps. The stored numbers are rounded to 16 bits. Judged as it is stored,
on seeds that training never uses:

| Protocol | Emulator | Clears | 95 % interval | x, mean and median |
|---|---|---|---|---|
{rows}

Its world model, on episodes of its own play (one action in ten random) that nothing was trained on:
explained {explained:.2f},
SSIM {ssim:.2f}; probes of a small MLP, R²: x {probe_x_r2:.2f}, y {probe_y_r2:.2f}, nearest enemy {probe_enemy_r2:.2f};
death within five decisions, AUC {death_auc:.2f}.

It plays greedily on latents of {latent_dim} numbers and sees gray pictures of 64×64 with the buttons in their corner.
It knows one level and nothing of any other.
"""


def row(result):
    low, high = result['ci95']
    return (
        '| `{protocol}` | {emulator} | {clears} of {episodes} | '.format(**result)
        + f"{low:.2f} to {high:.2f} | {result['x_mean']:.0f}, {result['x_median']:.0f} |"
    )


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    run = Path(sys.argv[1])
    command = sys.argv[2]
    weights = load_weights(run / 'weights.pt')
    level = weights['settings']['level']
    shelf = Path(__file__).parents[1] / 'mario_rl' / 'pretrained'
    shelf.mkdir(exist_ok=True)
    save_safetensors(weights, shelf / f'{level}.safetensors')
    agent = load_agent(shelf / f'{level}.safetensors')
    *plain, last = [
        dict(protocol=protocol, emulator=emulator)
        for emulator in ('libretro', 'nes-py')
        for protocol in PROTOCOLS
    ]
    results = [evaluate(agent, level, **how, report_episodes=0, show=True) for how in plain] + [
        evaluate(agent, level, **last, show=True)
    ]
    facts = weights['settings'] | results[-1] | dict(command=command, learner_step=weights['learner_step'])
    text = CARD.format(**facts, rows='\n'.join(map(row, results)))
    (shelf / f'{level}.md').write_text(text, encoding='utf-8')
    print(text)
