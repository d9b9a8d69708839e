"""Do notebooks, modules and README agree, and are the notebooks clean and executed?

Exit code 1 and a list where not. `nbdev_export` and `nbdev_clean` run on a copy, so a check changes
nothing here."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from notebooks import ROOT, find, title


def copy_tree(target):
    "Copy what git holds, and what it would take, to `target`."
    names = subprocess.run(
        ['git', 'ls-files', '-zco', '--exclude-standard'],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, names.split('\0')):
        if not (ROOT / name).is_file():
            continue  # deleted here, not yet in git
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)


def contents(folder):
    return {
        f.relative_to(folder): f.read_bytes()
        for f in folder.rglob('*')
        if f.is_file() and '__pycache__' not in f.parts
    }


def changed_by(command, module):
    "The files that an nbdev command would change, add or remove."
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(copy := Path(folder))
        before = contents(copy)
        subprocess.run(
            [sys.executable, '-c', f'from nbdev.{module} import {command}; {command}()'], cwd=copy, check=True
        )
        after = contents(copy)
    return [
        f'{command} would change {name}'
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def stored(file):
    "What is wrong with the stored outputs of a notebook."
    outputs = [
        o for cell in json.loads(file.read_text(encoding='utf-8'))['cells'] for o in cell.get('outputs', [])
    ]
    if not outputs:
        return [f'{title(file)} has no stored output: tools/run.py {title(file)}']
    return [f"{title(file)} stores an error: {o['ename']}" for o in outputs if o['output_type'] == 'error']


def many_targets(file):
    "Assignments of a notebook with more than two targets. What one call returns may be taken apart."
    for cell in json.loads(file.read_text(encoding='utf-8'))['cells']:
        source = ''.join(cell['source'])
        if cell['cell_type'] != 'code' or re.match(r'%%', source):
            continue
        for node in ast.walk(ast.parse(re.sub(r'^[%!].*', '', source, flags=re.M))):
            targets = node.targets if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call) else []
            if any(isinstance(target, ast.Tuple) and len(target.elts) > 2 for target in targets):
                yield f'{title(file)}, cell {cell["id"]}: more than two targets in line {node.lineno}'


if __name__ == '__main__':
    problems = (
        changed_by('nbdev_export', 'doclinks')
        + changed_by('nbdev_clean', 'clean')
        + [p for file in find([]) for p in (*stored(file), *many_targets(file))]
    )
    readme = subprocess.run(
        [sys.executable, ROOT / 'tools/readme.py', '--check'], capture_output=True, text=True
    )
    if readme.returncode:
        problems.append(readme.stderr.strip())
    sys.exit('\n'.join(problems) if problems else print('notebooks, modules and README agree'))
