"One notebook's test in this process, exactly as `nbdev_test` does it (tools/test.py starts one such process for each)."
import re, sys
from pathlib import Path
import nbdev.test
from nbdev.config import get_config
from nbdev.frontmatter import FrontmatterProc
from notebooks import ROOT, skipped

class AsModule:
    """Run an exported cell under the file name and line numbers it has in its module. A notebook defines its own code
    rather than importing it, so without this a measure of the module would not see the notebook run it."""
    def __init__(self, nb): self.starts = {}

    def _default_exp_(self, cell, name):
        self.file = get_config().lib_path/f'{name}.py'
        self.lines = self.file.read_text(encoding='utf-8').splitlines()
        self.starts = {line.rpartition('#')[2]: n for n, line in enumerate(self.lines, 1) if line.startswith('# %% ')}

    def _export_(self, cell):
        start, source = self.starts[cell.id], cell.source.rstrip()
        there = self.lines[start:start + source.count('\n') + 1]
        assert re.sub(r'\bfrom \.', 'from mario_rl.', '\n'.join(there)) == source, f'{self.file.name} is old: run nbdev_export'
        cell.source = f'exec(compile({"\n"*start + source!r}, {str(self.file)!r}, "exec"))'

if __name__ == '__main__':
    file, *mode = sys.argv[1:]
    if mode == ['--as-module']: nbdev.test.FrontmatterProc = [FrontmatterProc, AsModule]
    passed, _ = nbdev.test.test_nb(Path(file), skip_flags=skipped(), basepath=ROOT)
    sys.exit(not passed)
