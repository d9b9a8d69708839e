"""Do the dream's widgets work in a real browser?

Opens JupyterLab in headless Chromium, runs a notebook with the play widget, presses its buttons and
the arrow keys, and looks whether both pictures change: the game's and the dream's. Then the sliders
of the other three: an episode, a number of the latent, what if. `tools/widgets.py [--classic]
[--screenshot FILE.png] [--weights FILE]`; needs chromium and chromedriver (Debian:
chromium-driver), for `--classic` also nbclassic in the same environment (`uv pip install
nbclassic`)."""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nbformat
from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

BEGAN = time.time()
FLAGS = (
    '--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking '
    '--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=980,760'
)

BEGIN = '''from mario_rl.play.evaluate import load_agent, pretrained
from mario_rl.dream.widgets import play_in_dream, scrub, turn_latent, what_if
from mario_rl.world_model.probes import collect
agent = {agent}
'''
SLIDERS = dict(
    scrub='scrub(agent, collect(agent, episodes=1, seed=3))',  # name -> what makes the widget
    turn_latent='turn_latent(agent, collect(agent, episodes=1, seed=3).obs[60])',
    what_if='what_if(agent, collect(agent, episodes=1, seed=3).obs[60])',
)
WIDGETS = dict(play_in_dream="play_in_dream(agent, '1-1', seed=0)") | SLIDERS

KERNEL = dict(kernelspec=dict(name='python3', display_name='python3'))

READY = '''
const context = window.jupyterapp?.shell.currentWidget?.sessionContext
return Boolean(context?.isReady && context.session?.kernel?.status === 'idle')'''

CLASSIC_READY = ''' // an extension of its own makes widgets
// once it has asked the kernel for those that exist, it draws every output anew
const manager = window.Jupyter?.notebook?.kernel?.widget_manager
return Boolean(manager && window.requirejs.defined('nbextensions/anywidget/extension'))
  && manager._loadFromKernel().then(() => true)'''

LOOK = ''' // the pictures of game and dream as one number each, from the page that the widget shows
const img = document.querySelector('img.mario-screen'), canvas = document.createElement('canvas')
if (!img || !img.complete || !img.naturalWidth) return null
canvas.width = img.naturalWidth; canvas.height = img.naturalHeight
const pen = canvas.getContext('2d'); pen.drawImage(img, 0, 0)
const third = canvas.width/3 | 0
return [0, third].map(x => pen.getImageData(x + 2, 22, third - 4, 192)
  .data.reduce((sum, v, i) => (31*sum + v) % 1e9, 7))'''


def start_lab(folder, log):
    "JupyterLab on a free port; returns its process, its address and what opens it."
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
        token = secrets.token_hex(16)
    news = folder / 'settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings'
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false"}')  # else a question lies over the page
    command = [
        sys.executable,
        '-m',
        'jupyterlab',
        '--no-browser',
        '--allow-root',
        '--ip=127.0.0.1',
        f'--port={port}',
        '--port-retries=0',
        f'--notebook-dir={folder}/notebooks',
        f'--IdentityProvider.token={token}',
        '--LabApp.expose_app_in_browser=True',
        f'--LabApp.workspaces_dir={folder}/workspaces',
        f'--LabApp.user_settings_dir={folder}/settings',
    ]
    return (
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True),
        f'http://127.0.0.1:{port}',
        token,
    )


def stop_lab(lab):
    "Ask politely first."
    os.killpg(lab.pid, signal.SIGTERM)
    try:
        lab.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(lab.pid, signal.SIGKILL)
        lab.wait()


def await_lab(lab, url, token, seconds):
    "Return once JupyterLab answers."
    end = time.time() + seconds
    while time.time() < end and lab.poll() is None:
        try:
            return urllib.request.urlopen(f'{url}/api/status?token={token}', timeout=5).read()
        except OSError:
            time.sleep(0.5)
    raise AssertionError('JupyterLab did not start')


def browser():
    "A headless Chromium; raises `AssertionError` where there is none."
    chromium = shutil.which('chromium') or shutil.which('google-chrome')
    driver = shutil.which('chromedriver')
    if not (chromium and driver):
        raise AssertionError('no chromium and chromedriver here: apt-get install chromium chromium-driver')
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS.split():
        options.add_argument(flag)
    return webdriver.Chrome(options, Service(driver))


class Page:
    "The widget in the browser."

    def __init__(self, driver, seconds):
        self.driver = driver
        self.seconds = seconds

    def wait(self, for_what, condition):
        try:
            return WebDriverWait(self.driver, self.seconds, 0.3).until(lambda _: condition())
        except TimeoutException:
            raise AssertionError(f'waited {self.seconds} s in vain for {for_what}') from None

    def look(self):
        return self.wait('the picture', lambda: self.driver.execute_script(LOOK))

    def first(self, css):
        return next(iter(self.driver.find_elements(By.CSS_SELECTOR, css)), None)

    def button(self, text):
        return next(
            b
            for b in self.driver.find_elements(By.CSS_SELECTOR, 'button.widget-button, button.jupyter-button')
            if b.text.strip() == text
        )

    def changes(self, name, do):
        "Do something and wait until both pictures are others."
        before = self.look()
        do()
        self.wait(
            f'both pictures to change after {name}', lambda: all(a != b for a, b in zip(before, self.look()))
        )
        print(f'after {time.time() - BEGAN:.0f} s, {name}: game and dream moved on', flush=True)


def open_notebook(page, url, token, name, classic):
    "Open the notebook of a widget, run it, and wait for the picture."
    where, ready, run = (
        (f'notebooks/{name}.ipynb', CLASSIC_READY, 'Jupyter.notebook.execute_all_cells()')
        if classic
        else (
            f'doc/workspaces/{name}/tree/{name}.ipynb',
            READY,
            "jupyterapp.commands.execute('notebook:run-all-cells')",
        )
    )
    page.driver.get(f'{url}/{where}?token={token}')
    page.wait('a kernel', lambda: page.driver.execute_script(ready))
    page.driver.execute_script(run)
    page.look()


def play(page):
    "The buttons and keys of the play widget."
    driver = page.driver
    for name in ('right', 'right+A', 'agent'):
        page.changes(f'button {name}', page.button(name).click)
    screen = page.first('img.mario-screen')
    screen.click()
    for name, key in (
        ('arrow right', Keys.ARROW_RIGHT),
        ('arrow up', Keys.ARROW_UP),
        ('arrow left', Keys.ARROW_LEFT),
    ):
        page.changes(f'key {name}', lambda: ActionChains(driver).send_keys(key).perform())


def slide(page, name):
    "Every slider of a widget, moved by its keys, must change what is shown."
    handles = page.driver.find_elements(By.CSS_SELECTOR, '.noUi-handle')
    assert handles, f'{name} shows no slider'
    for i, handle in enumerate(handles):
        before = page.look()
        handle.click()
        ActionChains(page.driver).send_keys(Keys.END).perform()
        page.wait(f'the picture of {name} to change after slider {i + 1}', lambda: page.look() != before)
        print(f'{name}: slider {i + 1} of {len(handles)} changed the picture', flush=True)


def held(page):
    "A key that is held plays on, and stops when it is released."
    driver = page.driver
    page.changes('key arrow right, held', lambda: ActionChains(driver).key_down(Keys.ARROW_RIGHT).perform())
    for _ in range(3):
        page.changes('a moment', lambda: None)
    ActionChains(driver).key_up(Keys.ARROW_RIGHT).perform()
    time.sleep(2)
    still = page.look()
    time.sleep(1)
    assert page.look() == still, 'the game runs on after the key was released'
    assert driver.switch_to.active_element == page.first('img.mario-screen'), (
        'the arrow keys moved the focus away from the picture'
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--classic', action='store_true', help='in the classic Notebook instead')
    parser.add_argument('--screenshot', help='store what the browser shows at the end, as a PNG')
    parser.add_argument(
        '--weights', help='an agent with a world model (default: the one that comes with the package)'
    )
    parser.add_argument(
        '--timeout', type=float, default=120, help='seconds to wait for anything (default: 120)'
    )
    args = parser.parse_args()
    agent = f'load_agent({os.path.abspath(args.weights)!r})' if args.weights else "pretrained('1-1')"
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / 'lab.log', 'w') as log:
        driver = None
        lab = None
        folder = Path(folder)
        (folder / 'notebooks').mkdir()
        for name, call in WIDGETS.items():
            cell = nbformat.v4.new_code_cell(BEGIN.format(agent=agent) + call)
            nbformat.write(
                nbformat.v4.new_notebook(cells=[cell], metadata=KERNEL), folder / f'notebooks/{name}.ipynb'
            )
        try:
            driver = browser()
            lab, url, token = start_lab(folder, log)
            await_lab(lab, url, token, args.timeout)
            open_notebook(page := Page(driver, args.timeout), url, token, 'play_in_dream', args.classic)
            play(page)
            held(page)
            if args.screenshot:
                driver.save_screenshot(args.screenshot)
            for name in SLIDERS:
                open_notebook(page, url, token, name, args.classic)
                slide(page, name)
        except (AssertionError, WebDriverException) as problem:
            seen = os.path.join(tempfile.gettempdir(), 'mario_rl_widgets.png')
            if lab:
                driver.save_screenshot(seen)
            sys.exit(
                f"tools/widgets.py: {str(problem).splitlines()[0]}" + (f' (the page: {seen})' if lab else '')
            )
        finally:
            if driver:
                driver.quit()
            if lab:
                stop_lab(lab)
    print(f"the widgets work in {'the classic Notebook' if args.classic else 'JupyterLab'}")


if __name__ == '__main__':
    main()
