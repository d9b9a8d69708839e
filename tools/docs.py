"""Build the documentation site in _docs/ without Quarto: nbdev prepares the pages, smalldocs renders them.

A broken link fails. (With Quarto installed, `nbdev_docs` builds the same site.)"""

import ast
import re
import shutil
import subprocess
import sys

import nbdev.processors
import yaml
from nbdev.config import get_config
from nbdev.process import Processor
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs


def bare(name):
    return re.sub(r'(^|/)\d+[a-zA-Z0-9]*_', r'\1', name)


def rename(entry):
    "A sidebar with each notebook called by its page: without the number."
    if isinstance(entry, dict):
        return {key: rename(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [rename(value) for value in entry]
    return bare(entry) if isinstance(entry, str) and entry.endswith('.ipynb') else entry


def needed(cell):
    """Must this cell run, so that a page can show signatures? (nbdev would also run any example that
    contains an import.)"""
    return cell.cell_type == 'code' and ('export' in cell.directives_ or 'show_doc(' in cell.source)


def source(cell):
    """What a page shows of an exported cell (nbdev would drop them all).

    Folded below its documentation, as it stands where
    it has none, nothing where it only imports."""
    if not cell.directives_ or not cell.directives_.keys() & nbdev.processors._hide_dirs:
        return
    imports = all(isinstance(o, (ast.Import, ast.ImportFrom)) for o in cell.parsed_() or [])
    if 'export' not in cell.directives_ or 'hide' in cell.directives_ or imports:
        del cell['source']


def tidy(cell):
    "A `show_doc` cell without the empty line above its signature, and without links in that code."
    for output in cell.outputs:
        before, code, after = ''.join(output['data']['text/markdown']).partition('```python\n')
        signature, end, after = after.partition('```')
        output['data']['text/markdown'] = (
            before + code + re.sub(r'\[(`[^`]+`)\]\([^)]+\)', r'\1', signature).lstrip('\n') + end + after
        )
    return cell


class InOrder(Processor):
    """The documentation of an exported cell in the order of its definitions (nbdev turns it round), then
    its folded source."""

    def begin(self):
        cells = list(self.nb.cells)
        self.nb.cells[:] = []
        while cells:
            cell = cells.pop(0)
            documents = []
            while cells and getattr(cells[0], 'has_sd', False):
                documents.insert(0, tidy(cells.pop(0)))
            if documents:
                cell.source = f'#| code-fold: true\n#| code-summary: "Source"\n{cell.source}'
            self.nb.cells += [*documents, cell]


def lost_anchors(site):
    "Links to a place on a page that is not there (smalldocs looks for pages only)."
    pages = {file: file.read_text(encoding='utf-8') for file in site.rglob('*.html')}
    ids = {file: set(re.findall(r'\bid="([^"]+)"', text)) for file, text in pages.items()}
    return [
        f'{file.name}: {page}#{anchor} is not there'
        for file, text in pages.items()
        for page, anchor in sorted(set(re.findall(r'<a\b[^>]*\bhref="([^"#:]*)#([^"]+)"', text)))
        if anchor not in ids.get((file.parent / page).resolve() if page else file, ())
    ]


def main():
    config = get_config()
    nbdev.processors._do_eval = needed
    nbdev.processors.rm_export = source
    nbdev.processors.mv_exports = InOrder
    refresh_quarto_yml()
    pages = proc_nbs(n_workers=0, force=True)
    site = f'{config.doc_host}{config.doc_baseurl}/'
    # smalldocs does not read `output-file`: name the files as nbdev's links expect
    for file in sorted(pages.rglob('*.ipynb')):
        text = re.sub(r'output-file: [^\\]*\\n', '', file.read_text(encoding='utf-8'))
        up = '../' * (len(file.relative_to(pages).parts) - 1)
        # nbdev's links lead to the published site
        text = re.sub(rf'\]\({site}([\w/]+)\.html', rf']({up}\g<1>.ipynb', text)
        file.write_text(
            re.sub(r'\]\(([^)\s]+\.ipynb)', lambda link: '](' + bare(link[1]), text), encoding='utf-8'
        )
        file.rename(file.with_name(bare(file.name)))
    sidebar = pages / 'sidebar.yml'
    sidebar.write_text(yaml.safe_dump(rename(yaml.safe_load(sidebar.read_text())), sort_keys=False))
    built = subprocess.run([sys.executable, '-m', 'smalldocs.cli', 'render', '--strict', str(pages)])
    if built.returncode:
        sys.exit(built.returncode)
    if missing := lost_anchors(pages / config.doc_path.name):
        sys.exit('\n'.join(missing))
    shutil.rmtree(config.doc_path, ignore_errors=True)
    shutil.move(pages / config.doc_path.name, config.doc_path)
    shutil.rmtree(pages)


if __name__ == '__main__':
    main()
