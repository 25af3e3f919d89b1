"""How much memory a piece of code takes at most, whatever this process took before."""

import contextlib
from pathlib import Path
from types import SimpleNamespace


@contextlib.contextmanager
def measured():
    """Yields an object that has `growth` after the block: bytes at the peak above those before."""
    found = SimpleNamespace(growth=None)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _bytes("VmRSS")
    yield found
    # The kernel adds pages up in portions: a peak may be told a little below what was there.
    found.growth = max(0, _bytes("VmHWM") - before)


def _bytes(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
