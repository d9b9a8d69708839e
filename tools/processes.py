"""Ending processes for certain.

All that were started with the mark MARIO_RL_TEST=<folder>, and all that those started."""

import os
import signal
import time
from pathlib import Path


def marked(folder):
    """Processes marked with `folder` or with a folder in it: command line by process id.

    Without this process. A process
    keeps the mark when its parent dies and when it opens a session of its own. Linux tells the mark in /proc."""
    mark = os.fsencode(f'MARIO_RL_TEST={folder}')
    found = {}
    for entry in Path('/proc').glob('[0-9]*'):
        try:
            variables = (entry / 'environ').read_bytes().split(b'\0')
            command = (entry / 'cmdline').read_bytes()
        except OSError:
            continue  # it has just ended, or is another user's
        if any(v == mark or v.startswith(mark + b'/') for v in variables):
            found[int(entry.name)] = command
    found.pop(os.getpid(), None)
    return found


def end(folder, patience=5):
    """Kill what `marked` finds until nothing is left. Python's trackers of shared memory get `patience`
    seconds to clean up."""
    patient_until = time.time() + patience
    while found := marked(folder):
        for pid, command in found.items():
            if b'resource_tracker' in command and time.time() < patient_until:
                continue
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
