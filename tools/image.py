"""The container's image without a container engine.

Does in a clean Debian root what docker/Dockerfile says, line by line, then starts it as its own
user with 64 MB of /dev/shm, waits for the first learner step, and stops it with SIGTERM. Prints
what each line adds. `tools/image.py FOLDER` (new; some GB); needs Linux, root and debootstrap."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from notebooks import ROOT

# what stands for the image `python:3.13-slim`
PYTHON = 'python3,python3-pip,python3-venv,ca-certificates'
CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'  # with this machine's own


def instructions(text):
    "Name and rest of each line, continued lines joined."
    lines = re.sub(r'\\\n\s*', '', re.sub(r'^#.*\n', '', text, flags=re.M)).splitlines()
    return [line.split(maxsplit=1) for line in lines if line.strip()]


def megabytes(root):
    return int(subprocess.run(['du', '-smx', root], capture_output=True, text=True).stdout.split()[0])


def inside(root, command, env, where='/', user=''):
    "Start a command in the root."
    here = {name: os.environ[name] for name in ('SSL_CERT_FILE', 'PIP_CERT') if name in os.environ}
    chroot = ['chroot', *([f'--userspec={user}:{user}'] if user else []), root]
    known = dict(PATH='/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME='/home/mario' if user else '/root')
    return subprocess.Popen(
        [*chroot, 'sh', '-c', f'cd {where} && {command}'],
        env=known | here | env,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def base(root):
    "A clean Debian with the Python of the image that the Dockerfile begins with."
    subprocess.run(
        ['debootstrap', '--variant=minbase', f'--include={PYTHON}', 'trixie', root],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.copy('/etc/resolv.conf', root / 'etc/resolv.conf')
    if Path(CERTIFICATES).exists():
        shutil.copy(CERTIFICATES, root / CERTIFICATES[1:])
    for file in root.glob('usr/lib/python3*/EXTERNALLY-MANAGED'):
        file.unlink()  # that image has none
    (root / 'usr/local/bin/python').symlink_to('/usr/bin/python3')


def copy(root, rest, where):
    flags, *sources, target = rest.split() if rest.startswith('--') else ['', *rest.split()]
    for source in sources:
        target_path = root / (target if target.startswith('/') else f'{where}/{target}').lstrip('/')
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target_path, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(
                ROOT / source, target_path / Path(source).name if target.endswith('/') else target_path
            )
        if 'chmod' in flags:
            os.chmod(target_path / Path(source).name, int(flags.rpartition('=')[2], 8))


def build(root) -> dict:
    "Follow the Dockerfile; returns what it says about starting."
    env = {}
    where = '/'
    user = ''
    entry = ''
    before = megabytes(root)
    print(f'{before:6} MB          Debian and Python', flush=True)
    for name, rest in instructions((ROOT / 'docker/Dockerfile').read_text()):
        start = time.time()
        if name == 'ENV':
            env |= dict(pair.split('=', 1) for pair in rest.split())
        elif name == 'WORKDIR':
            (where := rest)
            (root / rest.lstrip('/')).mkdir(parents=True, exist_ok=True)
        elif name == 'USER':
            user = rest
        elif name == 'COPY':
            copy(root, rest, where)
        elif name == 'ENTRYPOINT':
            entry = json.loads(rest)[0]
        elif name == 'RUN':
            process = inside(root, rest, env, where, user)
            output = process.communicate()[0]
            if process.returncode:
                sys.exit(f'{rest}\n{output}')
        if name in ('RUN', 'COPY'):
            size = megabytes(root)
            print(f'{size - before:6} MB {time.time() - start:6.0f} s  {name} {rest[:100]}', flush=True)
            before = size
    print(f'{before:6} MB          in all')
    return dict(command=entry, env=env, where=where, user=user)


def first_step(root, entry) -> tuple:  # seconds until the first learner step, until it had saved
    "Start it as a container is started, and stop it as `docker stop` does."
    env = entry['env'] | dict(LEVEL='1-1', WORKERS='1')
    start = time.time()
    process = inside(root, f"exec {entry['command']} --learn-start 1000", env, entry['where'], entry['user'])
    for line in process.stdout:  # a line every ten seconds
        if re.search(r'updates [1-9]', line):
            break
    else:
        sys.exit(f'it ended by itself, exit code {process.wait()}')
    begun = time.time()
    process.send_signal(signal.SIGTERM)
    rest = process.communicate()[0]
    if process.returncode != 128 + signal.SIGTERM or not list(root.glob('mario/checkpoints/*/checkpoint.pt')):
        sys.exit(f'not saved\n{rest}')
    return begun - start, time.time() - begun


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path, help='where to make the root; left there')
    root = parser.parse_args().folder.resolve()
    if os.geteuid() or not shutil.which('debootstrap'):
        sys.exit('tools/image.py: needs root and debootstrap')
    if root.exists():
        sys.exit(f'tools/image.py: {root} exists: give a new folder')
    base(root)
    mounts = [('proc', 'proc', []), ('tmpfs', 'dev/shm', ['-o', 'size=64m'])]
    (root / 'dev/shm').mkdir(exist_ok=True)
    try:
        for kind, place, options in mounts:
            subprocess.run(['mount', '-t', kind, *options, kind, root / place], check=True)
        entry = build(root)
        for times in 'first', 'second':
            begun, saved = first_step(root, entry)
            print(
                f'{times} start: first learner step seen after {begun:.0f} s, '
                f'saved and ended {saved:.1f} s after SIGTERM',
                flush=True,
            )
        health = inside(root, 'healthy.sh', entry['env'], entry['where'], entry['user'])
        print(f'health check: exit code {health.wait()}')
    finally:
        for _, place, _ in mounts:
            subprocess.run(['umount', root / place], check=False)


if __name__ == '__main__':
    main()
