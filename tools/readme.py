"""Write README.md from nbs/index.ipynb, without Quarto.

Prose stands as it is. Code stands unless `#| echo: false`, and stored outputs follow it. Pictures go to
nbs/images/. `--check` writes nothing and fails when they disagree."""

import base64
import re
import sys

from nbdev.process import NBProcessor
from notebooks import ROOT

IMAGES = ROOT / 'nbs/images'


def markdown(output, pictures, caption):
    "One stored output as Markdown; a picture is added to `pictures` under its path."
    data = output.get('data', {})

    def text(part):
        return ''.join(part).rstrip('\n')

    if 'text/markdown' in data:
        return text(data['text/markdown'])
    if 'image/png' in data:
        path = IMAGES / f'readme_{len(pictures) + 1}.png'
        pictures[path] = base64.b64decode(''.join(data['image/png']))
        return f'![{caption}]({path.relative_to(ROOT)})'
    return f"```text\n{text(output.get('text') or data['text/plain'])}\n```"


def build():
    "The text of README.md and the pictures it shows."
    parts = []
    pictures = {}
    for cell in NBProcessor(ROOT / 'nbs/index.ipynb', process=True).nb.cells:
        options = cell.get('directives_') or {}
        if 'hide' in options:
            continue
        if cell.cell_type == 'markdown':
            # README lies one folder higher
            parts.append(re.sub(r'\]\((?=(images|tutorials|guide)/|\d\d_)', '](nbs/', cell.source.strip()))
        if cell.cell_type != 'code':
            continue
        if options.get('echo:') != ['false']:
            parts.append(f'```python\n{cell.source.strip()}\n```')
        parts += [markdown(o, pictures, ' '.join(options.get('fig-alt:', []))) for o in cell.outputs]
    return '\n\n'.join(parts) + '\n', pictures


if __name__ == '__main__':
    text, pictures = build()
    wanted = {ROOT / 'README.md': text.encode(), **pictures}
    old = [f for f in IMAGES.glob('readme_*.png') if f not in wanted]
    if sys.argv[1:] == ['--check']:
        wrong = [f for f, data in wanted.items() if not f.exists() or f.read_bytes() != data] + old
        sys.exit(
            f"{', '.join(str(f.relative_to(ROOT)) for f in wrong)}: not what nbs/index.ipynb says; run tools/readme.py"
            if wrong
            else 0
        )
    for file in old:
        file.unlink()
    if pictures:
        IMAGES.mkdir(exist_ok=True)
    for file, data in wanted.items():
        file.write_bytes(data)
