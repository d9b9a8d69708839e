"""Build the documentation site in _docs/ without Quarto: nbdev prepares the pages, smalldocs renders them. A broken link fails.
(With Quarto installed, `nbdev_docs` builds the same site.)"""
import re, shutil, subprocess, sys, yaml
import nbdev.processors
from nbdev.config import get_config
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

def bare(name): return re.sub(r'(^|/)\d+[a-zA-Z0-9]*_', r'\1', name)

def rename(entry):
    "A sidebar with each notebook called by its page: without the number."
    if isinstance(entry, dict): return {key: rename(value) for key, value in entry.items()}
    if isinstance(entry, list): return [rename(value) for value in entry]
    return bare(entry) if isinstance(entry, str) and entry.endswith('.ipynb') else entry

def needed(cell):
    "Must this cell run, so that a page can show signatures? (nbdev would also run any example that contains an import.)"
    return cell.cell_type == 'code' and ('export' in cell.directives_ or 'show_doc(' in cell.source)

def main():
    config = get_config()
    nbdev.processors._do_eval = needed
    refresh_quarto_yml()
    pages = proc_nbs(n_workers=0, force=True)
    for file in sorted(pages.rglob('*.ipynb')): # smalldocs does not read `output-file`: name the files as nbdev's links expect
        text = re.sub(r'output-file: [^\\]*\\n', '', file.read_text(encoding='utf-8'))
        file.write_text(re.sub(r'\]\(([^)\s]+\.ipynb)', lambda link: '](' + bare(link[1]), text), encoding='utf-8')
        file.rename(file.with_name(bare(file.name)))
    sidebar = pages/'sidebar.yml'
    sidebar.write_text(yaml.safe_dump(rename(yaml.safe_load(sidebar.read_text())), sort_keys=False))
    built = subprocess.run([sys.executable, '-m', 'smalldocs.cli', 'render', '--strict', str(pages)])
    if built.returncode: sys.exit(built.returncode)
    shutil.rmtree(config.doc_path, ignore_errors=True)
    shutil.move(pages/config.doc_path.name, config.doc_path)
    shutil.rmtree(pages)

if __name__ == '__main__': main()
