"""Is what we write true as text?

Spelling, links and files of README and notebooks, and the code between their words: Python blocks
compile, named commands and flags exist. Exit code 1 and a list where not. (Links between pages:
tools/docs.py.)"""

import contextlib
import importlib
import io
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from nbdev.config import get_config
from notebooks import ROOT, find, title

WORDS = 'docments'  # fastcore's way of documenting: codespell would mend it
# flags of uv, pip and docker
OTHERS = '--extra --no-deps --shm-size --gpus --help --rm --user --entrypoint'.split()
FENCE = re.compile(r'^```(\w*)\n(.*?)^```', re.M | re.S)


def texts():
    "Name and text of README and of each notebook: (prose, code)."
    yield 'README.md', (ROOT / 'README.md').read_text(encoding='utf-8'), ''
    for file in find([]):
        cells = json.loads(file.read_text(encoding='utf-8'))['cells']

        def of(kind):
            return '\n\n'.join(''.join(cell['source']) for cell in cells if cell['cell_type'] == kind)

        yield title(file), of('markdown'), of('code')


def misspelt(pages):
    "Complaints of codespell about all pages."
    with tempfile.TemporaryDirectory() as folder:
        for name, prose, code in pages:
            (Path(folder) / name.replace('/', '-')).write_text(f'{prose}\n{code}', encoding='utf-8')
        lines = subprocess.run(
            [sys.executable, '-m', 'codespell_lib', '-L', WORDS, '--disable-colors', folder],
            capture_output=True,
            text=True,
        ).stdout
    return [f'spelling: {line.removeprefix(folder + "/")}' for line in lines.splitlines()]


def flags():
    "The flags that each of our commands and tools knows."
    known = {}
    for entry in get_config(path=ROOT).console_scripts.split('\n'):
        command, _, place = entry.strip().partition('=')
        module, _, function = place.partition(':')
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
            getattr(importlib.import_module(module), function)(['--help'])
        known[command] = set(re.findall(r'--[\w-]+', said.getvalue()))
    for tool in (ROOT / 'tools').glob('*.py'):
        known[f'tools/{tool.name}'] = set(re.findall(r'--[\w-]+', tool.read_text(encoding='utf-8')))
    known['tools/test.py'] |= known['tools/nbtest.py']  # which it starts
    return known


def wrong_command(line, known):
    "What is wrong with one line of a shell block, if it runs one of our commands."
    words = shlex.split(line, comments=True)
    at = next((i for i, word in enumerate(words) if word.startswith(('mario_rl_', 'tools/'))), None)
    if at is None:
        return []
    if words[at] not in known:
        return [f'there is no command {words[at]}']
    given = [word.partition('=')[0] for word in words[at + 1 :] if word.startswith('--')]
    return [f'{words[at]} knows no {flag}' for flag in given if flag not in known[words[at]]]


def wrong_code(text, known):
    "What is wrong with the code between the words of a page."
    for language, block in FENCE.findall(text):
        if language == 'python':
            try:
                compile(block, '', 'exec')
            except SyntaxError as error:
                yield f'a Python block does not compile: {error}'
        elif language in ('', 'bash'):
            for line in block.replace('\\\n', ' ').splitlines():
                yield from wrong_command(line, known)
    every = set.union(*known.values(), OTHERS)
    for span in re.findall(r'(?<!`)`([^`\n]+)`(?!`)', FENCE.sub('', text)):
        if span.startswith('mario_rl_'):
            yield from wrong_command(span, known)
        elif (
            span.startswith('--')
            and (flag := re.match(r'[\w-]+', span)[0]) not in every
            and flag.replace('--no-', '--') not in every
        ):
            yield f'no command knows {flag}'


def lost_files(name, text):
    "Files that a page names or links to and that are not there."
    named = re.findall(r'`((?:nbs|tools|mario_rl|docker)/[\w/.-]+\.\w+)`', text)
    linked = re.findall(r'\]\((?!\w+:|#)([^)\s#]+)', text)
    folder = ROOT if name == 'README.md' else (ROOT / 'nbs' / name).parent
    return [f'there is no file {path}' for path in named if not (ROOT / path).exists()] + [
        f'a link leads to {path}, which is not there' for path in linked if not (folder / path).exists()
    ]


if __name__ == '__main__':
    pages = list(texts())
    known = flags()
    found = misspelt(pages) + [
        f'{name}: {problem}'
        for name, prose, _ in pages
        for problem in (*wrong_code(prose, known), *lost_files(name, prose))
    ]
    sys.exit(
        '\n'.join(found)
        if found
        else print(f'{len(pages)} pages: spelling, links, files, commands and flags are right')
    )
