"""How much memory this process can still have."""

import math
import os
from pathlib import Path

CONTROL_GROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
"""Where Linux says how much memory a container may take and takes, in both of its versions."""

STATISTICS, CACHE = "memory.stat", "inactive_file"
"""File and line that say how much of it are files which were read once and can be forgotten."""


def free_bytes():
    """Bytes that this process can still have: of the machine, and of the container it is in."""
    return min(_free_of_machine(), *(_free_of_group(*names) for names in CONTROL_GROUPS))


def _free_of_machine():
    """Where the system does not say what is free, half of what there is."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError):  # Windows has no sysconf
        return 0


def _free_of_group(folder, limit, used):
    """What a control group leaves, infinite where there is none or it has no limit."""
    try:
        limit, used = (int(Path(folder, name).read_text()) for name in (limit, used))
        lines = Path(folder, STATISTICS).read_text().splitlines()
        used -= sum(int(line.split()[1]) for line in lines if line.startswith(CACHE + " "))
        return max(0, limit - used)
    except (OSError, ValueError):  # no such file, or `max`
        return math.inf
