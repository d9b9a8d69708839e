"""Test notebooks: `tools/test.py`, or `tools/test.py replay.store`; `tools/test.py --help` tells the rest.

The work is done by tools/nbtest.py. This process only sees to it that nothing stays behind, neither
processes nor temporary files, when the tests are over, when they are stopped (Ctrl-C, SIGTERM, a
closed terminal), and when tools/nbtest.py is killed."""

import shutil
import signal
import subprocess
import sys
import tempfile
from os import environ
from pathlib import Path

from processes import end

# as under nohup
STOP_SIGNALS = [
    n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN
]


def stop(number, frame):
    "End with the exit code that a shell shows for this signal."
    sys.exit(128 + number)


def main():
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    folder = tempfile.mkdtemp(prefix='test-')
    try:
        command = [sys.executable, Path(__file__).parent / 'nbtest.py', *sys.argv[1:]]
        mark = environ | dict(MARIO_RL_TEST=folder)
        # notices when the pipe closes
        work = subprocess.Popen(command, env=mark, stdin=subprocess.PIPE, start_new_session=True)
        code = work.wait()
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # this takes a moment, and then it is over anyway
        end(folder)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == '__main__':
    main()
