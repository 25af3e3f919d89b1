"""Size, speed and accuracy of every exported form of a detector, side by side, in one run."""

import dataclasses
import functools
import re
import time
from pathlib import Path

import numpy as np

from yolov2_tf.data.images import load_image
from yolov2_tf.evaluation import evaluate
from yolov2_tf.export.runtime import ExportedDetector, resize

SCORE_THRESHOLD = 0.005
MAX_DETECTIONS = 300
_TITLES = {"onnx": "ONNX", "openvino": "OpenVINO"}


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of one form.

    Attributes:
        form: Name of the form, e.g. `"TFLite int8"`.
        runtime: What ran it.
        megabytes: Size of its files, in 10⁶ bytes.
        load_ms: Milliseconds to open it.
        median_ms: Milliseconds for one picture, the median: what the form itself does with a
            picture of its size, that is the network, decoding, and suppression where it has it.
        p95_ms: Likewise, the 95th percentile.
        map: Mean AP (VOC2007), a fraction.
        map_loss: How much less that is than the Keras model's.
    """

    form: str
    runtime: str
    megabytes: float
    load_ms: float
    median_ms: float
    p95_ms: float
    map: float
    map_loss: float


@dataclasses.dataclass(frozen=True)
class Form:
    """A form of a detector that is ready to be opened.

    Attributes:
        name: Its name.
        path: Its file or folder.
        open: Function of no arguments that gives an object with `run(resized)`, `detect(image)`
            and `runtime`.
    """

    name: str
    path: Path
    open: object


def write_forms(model, source, folder, *, calibration=None, pictures=None, threads=2):
    """Exports a detector to every form that can be run here.

    Args:
        model: `DetectionModel`.
        source: Its `.keras` file.
        folder: Where to write, a `pathlib.Path`.
        calibration: Pictures for int8, which is left out without them.
        pictures: Pictures to compare on.
        threads: How many threads each form may use.

    Returns:
        `(forms, notes)`: a list of `Form`, Keras first, and what was left out, one line each.
    """
    from yolov2_tf.darknet.export import export_darknet
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.onnx import FORMATS, OnnxDetector, export_onnx
    from yolov2_tf.export.runtime import TFLiteDetector
    from yolov2_tf.export.saved_model import SavedModelDetector, export_saved_model
    from yolov2_tf.export.tflite import QUANTIZATIONS, Conversion

    limit = {"max_detections": MAX_DETECTIONS}
    folders = {name: folder / name for name in ("saved_model", "tflite", *FORMATS, "darknet")}
    forms = [Form("Keras", Path(source), lambda: _Keras(model))]
    notes = []
    saved, _ = export_saved_model(model, folders["saved_model"], pictures=pictures, **limit)
    forms.append(Form("SavedModel", saved, lambda: SavedModelDetector(saved, SCORE_THRESHOLD)))

    conversion = Conversion(model, score_threshold=SCORE_THRESHOLD, **limit)
    for quantization in QUANTIZATIONS:
        if quantization == "int8" and not calibration:
            notes.append("TFLite int8: no pictures to calibrate on")
            continue
        name = "float32" if quantization == "none" else quantization
        path = folders["tflite"] / f"{name}.tflite"
        conversion.write(
            path, quantization=quantization, calibration=calibration, pictures=pictures
        )
        opened = functools.partial(TFLiteDetector, path, threads, SCORE_THRESHOLD)
        forms.append(Form(f"TFLite {name}", path, opened))
    for format, suffix in FORMATS.items():
        path = folders[format] / f"model{suffix}"
        try:
            export_onnx(model, path, format=format, pictures=pictures, **limit)
            opened = functools.partial(OnnxDetector, path, threads, SCORE_THRESHOLD)
            opened()
        except InputError as error:
            notes.append(f"{_TITLES[format]}: {error}")
        else:
            forms.append(Form(_TITLES[format], folders[format], opened))
    try:
        opened = functools.partial(_OpenCv, model, export_darknet(model, folders["darknet"]).paths)
        opened(threads)
    except Exception as error:  # OpenCV 5 has lost its Darknet reader; some networks are refused
        notes.append(f"Darknet in OpenCV: {error}")
    else:
        forms.append(Form("Darknet", folders["darknet"], lambda: opened(threads)))
    return forms, notes


def benchmark(head, forms, dataset, *, runs=50, progress=lambda items, total, what: items):
    """Measures forms of one detector.

    Times are taken in turn, one picture through every form and then the next, so that whatever
    else the machine does meets all of them.

    Args:
        head: The network's `Head`.
        forms: List of `Form`, the one that the others are compared with first.
        dataset: `Dataset` to score them on.
        runs: How many pictures are timed.
        progress: Called with (iterable, its length, what it is) and iterated in its place.

    Returns:
        List of `Row`.
    """
    opened, load_ms = [], []
    for form in forms:
        start = time.perf_counter()
        opened.append(form.open())
        load_ms.append(_milliseconds_since(start))
    times = _times(head, opened, dataset, runs, progress)
    scores = []
    for form, detector in zip(forms, opened, strict=True):
        pictures = (load_image(record.image) for record in dataset.records)
        pictures = progress(pictures, len(dataset), form.name)
        scores.append(evaluate(dataset, [detector.detect(p) for p in pictures]).map)
    return [
        Row(
            form=form.name,
            runtime=detector.runtime,
            megabytes=_size(form.path) / 1e6,
            load_ms=load,
            median_ms=float(np.median(taken)),
            p95_ms=float(np.percentile(taken, 95)),
            map=score,
            map_loss=scores[0] - score,
        )
        for form, detector, load, taken, score in zip(
            forms, opened, load_ms, times, scores, strict=True
        )
    ]


def markdown(rows):
    """Rows as a Markdown table."""
    lines = [
        "| form | runtime | MB | load ms | ms/image | p95 | mAP % | loss |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row.form} | {row.runtime} | {row.megabytes:.1f} | {row.load_ms:.0f} "
        f"| {row.median_ms:.1f} | {row.p95_ms:.1f} | {100 * row.map:.2f} "
        f"| {100 * row.map_loss:+.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def plot(rows, path):
    """Draws milliseconds and mAP of each form as bars."""
    from matplotlib.figure import Figure

    from yolov2_tf.files import replacing

    figure = Figure(figsize=(10, 1.2 + 0.42 * len(rows)), layout="constrained")
    speed, accuracy = figure.subplots(1, 2, sharey=True)
    names = [f"{row.form}, {row.megabytes:.1f} MB" for row in rows]
    speeds = [row.median_ms for row in rows]
    tails = [f"{row.median_ms:.1f} (95 %: {row.p95_ms:.1f})" for row in rows]
    scores = [100 * row.map for row in rows]
    for axes, values, texts, title in (
        (speed, speeds, tails, "ms per picture, median"),
        (accuracy, scores, [f"{score:.2f}" for score in scores], "mAP, %"),
    ):
        bars = axes.barh(names, values, color="#2563eb", height=0.65)
        axes.bar_label(bars, texts, padding=3, fontsize="small")
        axes.set_title(title, loc="left", fontsize="medium")
        axes.set_xlim(0, 1.45 * max(values))
        axes.spines[["top", "right"]].set_visible(False)
    speed.invert_yaxis()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


# === What runs the forms that have no class elsewhere ===


class _Keras:
    """The Keras model with decoding and suppression, as one graph."""

    def __init__(self, model):
        import keras
        import tensorflow as tf

        from yolov2_tf.detection import detector
        from yolov2_tf.detection_model import find_head

        self.runtime = f"Keras {keras.__version__}"
        self._detector = detector(model, SCORE_THRESHOLD, max_detections=MAX_DETECTIONS)
        size = find_head(model).input_size
        self._graph = tf.function(
            lambda image: self._detector(image, training=False),
            input_signature=[tf.TensorSpec((1, size, size, 3), tf.float32)],
        )

    def run(self, resized):
        return self._graph(resized[None])

    def detect(self, image):
        from yolov2_tf.detection import detect

        (found,) = detect(self._detector, [image], batch_size=1)
        return found


class _OpenCv(ExportedDetector):
    """OpenCV's `dnn` on the Darknet export; its region layer decodes."""

    def __init__(self, model, paths, threads):
        import cv2

        from yolov2_tf.detection_model import find_head
        from yolov2_tf.export.metadata import describe

        settings = {"iou_threshold": 0.45, "max_detections": MAX_DETECTIONS}
        layout = describe(find_head(model), nms=False, score_threshold=0.0, **settings)
        super().__init__(layout, SCORE_THRESHOLD, paths["cfg"])
        self.runtime = f"opencv {cv2.__version__}"
        cv2.setNumThreads(threads)
        # OpenCV takes the IoU threshold of the training, which the cfg tells, for one of scores.
        cfg = re.sub(r"(?m)^thresh *=.*", f"thresh={SCORE_THRESHOLD}", paths["cfg"].read_text())
        files = (cfg.encode(), paths["weights"].read_bytes())
        self._net = cv2.dnn.readNetFromDarknet(*(np.frombuffer(f, np.uint8) for f in files))

    def run(self, resized):
        blob = np.ascontiguousarray(resized.transpose(2, 0, 1)[None] / np.float32(255))
        self._net.setInput(blob)
        rows = self._net.forward()
        center, size = rows[:, 1::-1], rows[:, 3:1:-1]
        boxes = np.concatenate([center - size / 2, center + size / 2], axis=1)
        return {"boxes": boxes[None], "scores": rows[None, :, 5:]}


def _times(head, opened, dataset, runs, progress):
    """Milliseconds `(forms, runs)` for a picture of the network's size."""
    records = [dataset.records[i % len(dataset)] for i in range(runs)]
    taken = [[] for _ in opened]
    for number, record in enumerate(progress([records[0], *records], runs + 1, "timing")):
        resized, _, _ = resize(load_image(record.image), head.input_size, head.resize)
        for detector, mine in zip(opened, taken, strict=True):
            start = time.perf_counter()
            detector.run(resized)
            if number:  # the first one warms up
                mine.append(_milliseconds_since(start))
    return taken


def _milliseconds_since(start):
    return 1e3 * (time.perf_counter() - start)


def _size(path):
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())
