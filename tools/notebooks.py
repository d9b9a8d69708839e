"""Which notebooks a tool works on."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

from nbdev.config import get_config

ROOT = Path(__file__).resolve().parent.parent


def find(names):
    """The notebooks called `names` (`10_replay.store`, `replay.store`, `tutorials/01_first_run` or a
    path), or all of them."""
    files = sorted(f for f in (ROOT / 'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in f.parts)
    if not names:
        return files
    spelled = {s: f for f in files for s in (f.stem, re.sub(r'^\d+_', '', f.stem), title(f))}
    chosen = [Path(name).resolve() if Path(name).is_file() else spelled.get(name) for name in names]
    unknown = [name for name, file in zip(names, chosen) if file is None]
    if unknown:
        print(
            f"no notebook called {' or '.join(unknown)}: there are {', '.join(map(title, files))}",
            file=sys.stderr,
        )
    return [] if unknown else chosen


def title(file):
    "How a notebook is called in a report: its path below nbs/, without the ending."
    return str(
        (file.relative_to(ROOT / 'nbs') if file.is_relative_to(ROOT / 'nbs') else file).with_suffix('')
    )


def skipped():
    """Flags of cells that are not run here: the slow ones, and those that need the libretro core or Ray
    where there is none."""
    from mario_rl.game.console import has_core

    there = dict(libretro=has_core(), ray=find_spec('ray') is not None)
    return [flag for flag in get_config(path=ROOT).tst_flags.split() if not there.get(flag)]
