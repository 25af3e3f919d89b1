"""Pictures through several copies of a detector, by Ray Data: on one machine or a cluster.

Ray gives a worker that died a successor, which does its pictures again. Rows are written by the
process that asks for them, once each, so that no picture is there twice.
"""

import contextlib
import json
import logging
import os
import warnings

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.prediction.rows import as_row

CLUSTER = "RAY_ADDRESS"
"""Environment variable of Ray: the cluster to work on; without it this machine does."""

RETRIES = 3
"""How often pictures are done again whose worker died. Those of the fourth death end it all."""

_PART = 64  # pictures that a worker takes at a time, which it does again if it dies
_STORE = 256 << 20  # bytes of Ray's store of objects on this machine: only names and rows pass it


def rows_by_workers(names, workers, *, model, least, limits, settings):
    """Detects in pictures with several workers.

    Args:
        names: Iterable of paths and addresses of pictures, as each worker can read them.
        workers: How many.
        model: Path of the detector, where each worker can read it.
        least: Score that the detector is opened with.
        limits: Score that detections are above, or path of a file with that of each class.
        settings: Dict of what else `yolov2_tf.prediction.opening.open_detector` takes.

    Yields:
        `(row, error)` in the order of the names: `row` as `as_row` gives it, or None where
        `error`, a text, says why the picture cannot be read.

    Raises:
        InputError: If Ray is not installed, the model cannot be opened, or a worker dies again and
            again.
    """
    names = list(map(os.fsencode, names))
    with _ray(workers) as (ray, cpus):
        import pyarrow

        parts = [
            pyarrow.table({"name": pyarrow.array(names[i : i + _PART], pyarrow.binary())})
            for i in range(0, len(names), _PART)
        ]
        gpus = ray.cluster_resources().get("GPU", 0) >= workers
        with warnings.catch_warnings(action="ignore"):  # Ray 2.64 shall have a name for the last
            seen = ray.data.from_arrow(parts).map_batches(
                _Worker,
                fn_constructor_args=(str(model), least, limits, settings, cpus),
                batch_size=None,
                compute=ray.data.ActorPoolStrategy(size=workers),
                num_cpus=cpus,
                num_gpus=int(gpus),
                max_task_retries=RETRIES,
            )
        try:
            for batch in seen.iter_batches(batch_size=None, batch_format="numpy"):
                for row, error, refused in zip(*(batch[key] for key in _COLUMNS), strict=True):
                    if refused:
                        raise InputError(**json.loads(refused))
                    yield json.loads(row) if row else None, error
        except ray.exceptions.RayError as error:
            raise InputError(
                f"the workers cannot go on: {_reason(error)}",
                expected="workers that live",
                hint="fewer --workers, if memory ran out",
            ) from error


_COLUMNS = ("row", "error", "refused")
# Of what workers answer: a row or why there is none; or why the detector cannot be opened.


class _Worker:
    """One copy of the detector, in a process of its own."""

    def __init__(self, model, least, limits, settings, cpus):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(cpus)
        from yolov2_tf.evaluation.operating_points import read_thresholds
        from yolov2_tf.prediction.opening import open_detector

        self._refused = ""
        try:
            self._detector = open_detector(model, least, **settings)
            self._limits = limits
            if not isinstance(limits, float):
                self._limits = read_thresholds(limits, self._detector.class_names)
        except InputError as error:  # raised here, it would be an actor that died
            said = ("what", "where", "expected", "hint")
            self._refused = json.dumps({key: getattr(error, key) for key in said})

    def __call__(self, batch):
        if self._refused:
            return _columns([("", "", self._refused)])
        from yolov2_tf.drawing.media_finder import named_picture
        from yolov2_tf.evaluation.operating_points import above
        from yolov2_tf.prediction.stream import look_at

        names = self._detector.class_names
        sources = map(named_picture, map(os.fsdecode, batch["name"]))
        answers = []
        for seen in look_at(self._detector, sources):
            if seen.error:
                answers.append(("", str(seen.error), ""))
            else:
                row = as_row(seen.name, above(seen.found, self._limits), names)
                answers.append((json.dumps(row), "", ""))
        return _columns(answers)


def _columns(answers):
    columns = (np.array(column, object) for column in zip(*answers, strict=True))
    return dict(zip(_COLUMNS, columns, strict=True))


@contextlib.contextmanager
def _ray(workers):
    """Yields Ray, started or connected to, and how many CPUs each worker has."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    quiet = os.environ.get("YOLOV2_VERBOSE", "0") in ("", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError(
            f"--workers needs Ray Data: {error}", hint="pip install 'yolov2-tf[ray]'"
        ) from error
    if quiet:
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.ERROR)
    cpus = max(1, (os.cpu_count() or 1) // workers)
    settings = {
        "address": "local",
        "num_cpus": workers * cpus,
        "object_store_memory": _STORE,
        "include_dashboard": False,
    }
    ray.init(
        **({} if CLUSTER in os.environ else settings),
        logging_level=logging.ERROR if quiet else logging.INFO,
        log_to_driver=not quiet,
    )
    try:
        if CLUSTER in os.environ:
            cpus = max(1, int(ray.cluster_resources().get("CPU", 1)) // workers)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = not quiet
        context.execution_options.preserve_order = True
        yield ray, cpus
    finally:
        ray.shutdown()


def _reason(error):
    """The last line of what Ray says, without its trace."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
