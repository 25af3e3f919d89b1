"""Starts `devices.py` as processes of their own."""

import json
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("devices.py")
ROOT = SCRIPT.parents[2]


def start(*arguments, **environment):
    """A process, with the environment that is given and no other."""
    return subprocess.Popen(
        [sys.executable, SCRIPT, *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_workers(*arguments, changes=({}, {}), **environment):
    """Two processes on loopback that train together; each may have changes of its own."""
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]
    configs = [
        {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}} for i in range(2)
    ]
    return [
        start(*arguments, json.dumps(own), TF_CONFIG=json.dumps(config), **environment)
        for own, config in zip(changes, configs, strict=True)
    ]


def said(process):
    """What a process printed as JSON in its last line; it must have ended well."""
    out, error = process.communicate()
    assert process.returncode == 0, error[-3000:]
    return json.loads(out.splitlines()[-1])
