"""Execute notebooks in place, each in a fresh kernel, and clean them.

`tools/run.py 10_replay.store`, or all of them. Cells marked `#| eval: false` or with a test flag
such as `#| slow` are not run and keep their stored outputs; with `--all` they are run as well."""

import os
import re
import sys
import time

# else each kernel says so
os.environ.update(JUPYTER_PLATFORM_DIRS='1', PYDEVD_DISABLE_FILE_VALIDATION='1')
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbdev.clean import nbdev_clean
from notebooks import find, skipped, title


def run(file, everything=False, timeout=3600):
    "Execute `file` and write its outputs, but only if every cell succeeds."
    nb = nbformat.read(file, as_version=4)
    flags = '|'.join(['eval: *false', *skipped()])
    skip = re.compile(r'nbdev_export\(' if everything else rf'^#\| *({flags})\b|nbdev_export\(', re.M)
    for cell in nb.cells:
        if cell.cell_type == 'code' and skip.search(cell.source):
            cell.metadata['tags'] = ['skip-execution']
    NotebookClient(
        nb,
        timeout=timeout,
        kernel_name='python3',
        extra_arguments=['--log-level=ERROR'],
        resources=dict(metadata=dict(path=str(file.parent))),
    ).execute()
    nbformat.write(nb, file)
    nbdev_clean.__wrapped__(str(file))  # also takes the tags away again


if __name__ == '__main__':
    files = find([name for name in sys.argv[1:] if name != '--all'])
    for file in files:
        start = time.time()
        try:
            run(file, '--all' in sys.argv)
        except CellExecutionError as error:
            sys.exit(f'{title(file)}: {error}')
        print(f'{title(file)}: {time.time() - start:.1f} s', flush=True)
    if not files:
        sys.exit(1)
