"""Makes the file that the package ships from the best weights of a run.

Kernels become float16 (biases and batch normalisation stay float32), the optimizer's state and
the training precision are left out; `yolov2_tf.load_model` reads the result as any other model.

    python recipes/starter/ship.py runs/longer/model.keras starter.keras [SIZE]

SIZE is the side of the input in pixels that the network has from then on; default: its own.
"""

import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

from yolov2_tf.export.inference_network import at_size
from yolov2_tf.models.loading import load_model

FIXED_TIME = (2026, 1, 1, 0, 0, 0)
"""Date of the archive's members, so that the same run gives the same bytes."""


def to_float32_policy(config):
    """The model's configuration with every layer in float32, and nothing to compile."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {"name": "float32"}}
        return {key: to_float32_policy(value) for key, value in config.items()}
    if isinstance(config, list):
        return [to_float32_policy(value) for value in config]
    return config


def shrink(source, target):
    """Copies weights, kernels as float16, without the optimizer's."""

    def visit(name, item):
        if name.startswith("optimizer"):
            return
        if isinstance(item, h5py.Group):
            group = target.require_group(name)
            group.attrs.update(item.attrs)
            return
        value = item[()]
        kind = np.float16 if value.ndim > 1 else np.float32
        if kind is np.float16 and np.abs(value).max() > np.finfo(np.float16).max:
            raise SystemExit(f"{name} does not fit float16")
        target.create_dataset(name, data=value.astype(kind), compression="gzip", shuffle=True)

    target.attrs.update(source.attrs)
    source.visititems(visit)


def main(run, out, size=None):
    """Writes `out` from the `.keras` file `run`."""
    with tempfile.TemporaryDirectory() as folder:
        today = Path(folder) / "today.keras"
        model = at_size(load_model(run), size and int(size))
        model.save(today)  # with the names that classes have today
        write(today, out, Path(folder) / "weights.h5")
    print(f"{out}: {Path(out).stat().st_size / 1e6:.2f} MB")


def write(run, out, path):
    """Writes the `.keras` file `out` from `run`, by way of the file `path`."""
    with zipfile.ZipFile(run) as archive:
        config = to_float32_policy(json.loads(archive.read("config.json")))
        config.pop("compile_config", None)
        metadata = json.loads(archive.read("metadata.json"))
        metadata["date_saved"] = "{:04}-{:02}-{:02}@{:02}:{:02}:{:02}".format(*FIXED_TIME)
        with (
            h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as source,
            h5py.File(path, "w", libver="earliest") as target,
        ):
            shrink(source, target)
        files = {
            "metadata.json": json.dumps(metadata).encode(),
            "config.json": json.dumps(config).encode(),
            "model.weights.h5": path.read_bytes(),
        }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED_TIME), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main(*sys.argv[1:])
