"""How long a VOC data set takes to open, first and again, and what a record costs.

    python benchmarks/open_voc.py VOCdevkit [--copies 4]

Each opening is a process of its own, with a cache of its own. The memory of a record is the slope
between the data set once and `--copies` times.
"""

import argparse
import gc
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main():
    """Prints a row for each opening, and the two slopes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--copies", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for copies in (1, options.copies):
            devkit = Path(folder) / f"{copies}"
            for part in sorted(options.data.glob("*/Annotations")):
                for i in range(copies):
                    shutil.copytree(part, devkit / f"{part.parent.name}_{i}" / "Annotations")
            environment = {**os.environ, "YOLOV2_CACHE": f"{folder}/cache{copies}"}
            time.sleep(3)  # files that just changed are not remembered
            rows += [_open_elsewhere(devkit, environment) for _ in ("first", "again")]
    for row, what in zip(rows, ("first", "again") * 2, strict=True):
        count, boxes, wall, cpu, kept, peak = row
        print(
            f"{what}: {count:,.0f} images, {boxes:,.0f} boxes in {wall:.2f} s ({cpu:.2f} s of CPU)"
            f", {kept:.1f} MB kept, {peak:.1f} MB at most"
        )
    for name, column in (("kept", 4), ("at most", 5)):
        slope = (rows[2][column] - rows[0][column]) / (rows[2][0] - rows[0][0])
        print(f"a million records, {name}: {1e3 * slope:.2f} GB")


def _open_elsewhere(data, environment):
    command = [sys.executable, __file__, "--one", str(data)]
    output = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return [float(value) for value in output.stdout.split()]


def open_once(data):
    """Prints images, boxes, seconds, seconds of CPU, and MB that are kept and at most used."""
    import ctypes

    from yolov2_tf.data.readers.voc_xml import read_voc

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    before, wall, cpu = resident(), time.perf_counter(), time.process_time()
    dataset = read_voc(data)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3 - before
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system
    print(len(dataset), len(dataset.records.labels), wall, cpu, resident() - before, peak)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        open_once(sys.argv[2])
    else:
        main()
