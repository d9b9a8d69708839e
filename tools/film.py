"""Make the animation of the home page, nbs/images/dream.webp.

On the left the agent of the package plays, on the right its world model dreams the same, and looks
at the game only when the bar below it is full."""

from itertools import islice

import numpy as np
from notebooks import ROOT
from PIL import Image

from mario_rl.dream.env import SideBySide, enlarge
from mario_rl.play.evaluate import pretrained

# decisions of a dream; pixels of the bar
SECONDS = 6
FPS = 15
WAKE = 20
HEIGHT = 6


def picture(session):
    "Game and dream side by side, and below the dream how old it is."
    game = session.env.render()[32:224]
    dream = enlarge(session.now.dream)
    bar = np.full((HEIGHT, dream.shape[1], 3), 235, np.uint8)
    bar[2:, : dream.shape[1] * session.now.age // WAKE] = 228, 87, 46
    left = np.concatenate([game, np.full((HEIGHT, game.shape[1], 3), 255, np.uint8)])
    return np.concatenate([left, np.full((len(left), 8, 3), 255, np.uint8), np.concatenate([dream, bar])], 1)


def pictures(session):
    "One for each decision, while the episode lasts."
    while not session.now.over:
        yield Image.fromarray(picture(session))
        if session.now.age >= WAKE:
            session.wake()
        session.step(session.best)


if __name__ == '__main__':
    session = SideBySide(pretrained('1-1'), emulator='auto', seed=1)
    first, *others = islice(pictures(session), SECONDS * FPS)
    first.save(
        file := ROOT / 'nbs/images/dream.webp',
        save_all=True,
        append_images=others,
        duration=1000 // FPS,
        loop=0,
        quality=30,
        method=6,
    )
    print(f'{file.relative_to(ROOT)}: {len(others) + 1} pictures, {file.stat().st_size / 1000:.0f} kB')
