"""Writes what Python computes, for the Java tests to compare with.

Each case is a camera frame or a picture, a `.tflite` file, the tensor that goes into the network
and what comes out of it. Frames are made from pictures by the formulas of JFIF, and turned back
into pictures as libjpeg does, whole arrays at a time.

    python goldens.py OUT [--shipped FOLDER ...] [--model X.tflite ...] [--picture X.jpg ...]
"""

import argparse
import json
import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from yolov2_tf.data.digits.scenes import CLASS_NAMES as DIGITS
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.images import load_image
from yolov2_tf.data.photos import portrait
from yolov2_tf.export.check import sample_pictures
from yolov2_tf.export.layout import read_layout
from yolov2_tf.export.metadata import ModelInfo
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.export.tflite import Conversion
from yolov2_tf.files import replacing
from yolov2_tf.models.yolov2 import TinyYOLOv2, YOLOv2
from yolov2_tf.trees.wordtree import WordTree

CLASSES = ("cat", "dog", "bird")
TREE = WordTree(["animal", "plant", "cat", "dog", "bird"], [-1, -1, 0, 0, 0])
INFO = ModelInfo(author="goldens.py", license="CC0")

# Name, width and height of the frame as the sensor sees it, degrees to turn it, step from one
# chroma value to the next, unused bytes at the end of each row.
FRAMES = (
    ("landscape", 640, 480, 0, 1, 0),
    ("portrait", 270, 480, 0, 2, 0),
    ("turned-90", 640, 480, 90, 2, 0),
    ("turned-180", 640, 360, 180, 1, 24),
    ("turned-270", 640, 480, 270, 2, 16),
    ("odd-0", 333, 251, 0, 1, 3),
    ("odd-90", 251, 333, 90, 2, 5),
    ("odd-180", 101, 57, 180, 2, 0),
    ("odd-270", 75, 43, 270, 1, 0),
)
PICTURES = (("picture-landscape", 501, 375), ("picture-portrait", 120, 211), ("speck", 5, 3))


def main():
    """Writes all cases into a folder, at once or not at all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--shipped", type=Path, nargs="*", default=[], help="folders of the models in the app"
    )
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="more .tflite files")
    parser.add_argument("--picture", nargs="*", default=[], help="what to show those")
    options = parser.parse_args()
    digits = open_digits("test", size=640, count=4)
    scenes = [load_image(record.image()) for record in digits.records]
    own = [load_image(path) for path in options.picture] or scenes
    shipped = [path for folder in options.shipped for path in sorted(folder.glob("*.tflite"))]

    with replacing(options.out) as folder:
        folder.mkdir()
        models = [(path, sample_pictures()) for path in write_networks(folder)]
        for path in shipped:
            shown = scenes if read_layout(path).class_names == DIGITS else photos()
            models.append((copied(path, folder), shown))
        models += [(copied(path, folder), own) for path in options.model]
        cases = [case for model in models for case in write_cases(folder, *model)]
        (folder / "cases.json").write_text(json.dumps(cases, indent=1))
    print(f"{len(cases)} cases of {len(models)} models in {options.out}")


def photos():
    """For networks of real objects: a person, where a dependency brings that photo along."""
    return sample_pictures() if portrait() is None else [load_image(portrait())]


def copied(path, folder):
    """Copies a model to its cases."""
    return Path(shutil.copy(path, folder / path.name))


# === Networks: of every form and resize mode, with random weights ===


def write_networks(folder):
    """Exports small networks with random weights; yields the paths."""
    keras.utils.set_random_seed(0)
    pictures = sample_pictures()
    passthrough = lively(YOLOv2(CLASSES, input_size=96, width=0.125, resize="letterbox"))
    tiny = lively(TinyYOLOv2(CLASSES, input_size=96, width=0.125))
    labelled = lively(TinyYOLOv2(TREE.names, input_size=96, width=0.125, tree=TREE))
    for name, conversion, quantizations in (
        ("letterbox-nms", Conversion(passthrough), ("none", "int8")),
        ("letterbox-all", Conversion(passthrough, nms=False), ("none", "int8")),
        ("stretch-all", Conversion(tiny, nms=False), ("none",)),
        ("tree-all", Conversion(labelled, nms=False), ("none",)),
        ("raw-head", Conversion(tiny, nms=False, raw_head=True), ("none", "int8")),
    ):
        for quantization in quantizations:
            path = folder / f"{name}-{quantization}.tflite"
            conversion.write(path, quantization=quantization, calibration=pictures, info=INFO)
            yield path


def lively(model):
    """Random weights of the head under which pictures differ and much is detected."""
    random = np.random.default_rng(0)
    kernel, bias = model.head.get_weights()
    spread = 0.8 / kernel.shape[2] ** 0.5
    model.head.set_weights(
        [random.normal(0, spread, kernel.shape), random.normal(0, 1, bias.shape)]
    )
    return model


# === Cases ===


def write_cases(folder, path, pictures):
    """Shows a model all kinds of frames and pictures; yields the cases."""
    detector = TFLiteDetector(path, threads=1)
    for index, (name, width, height, *how) in enumerate(FRAMES + PICTURES):
        case = {"name": f"{path.stem}/{name}", "model": path.name, "file": f"{path.stem}-{name}"}
        picture = crop(pictures[index % len(pictures)], width, height, how[0] if how else 0)
        if how:
            picture, frame = through_camera(picture, *how, folder / case["file"])
            case["frame"] = frame
        else:
            picture.tofile(folder / f"{case['file']}.rgb")
        yield {**case, **expectations(detector, picture, folder / case["file"])}


def expectations(detector, picture, file):
    """Runs a picture; writes the tensors and returns the rest."""
    resized, *_ = resize(picture, detector.input_size, detector.layout.resize)
    resized.tofile(f"{file}.input")
    outputs = detector.run(resized)
    for name, values in outputs.items():
        values.astype(np.float32).tofile(f"{file}.{name}")
    found = detector.detect(picture)
    return {
        "width": picture.shape[1],
        "height": picture.shape[0],
        "quantization": detector.layout.quantization,
        "outputs": list(outputs),
        "threshold": detector.score_threshold,
        "detections": [
            {"box": box.tolist(), "label": int(label), "score": float(score)}
            for box, label, score in zip(*found.values(), strict=True)
        ],
    }


def crop(picture, width, height, rotation):
    """The picture's middle, as the sensor sees it, scaled so that most of it is there."""
    picture = np.rot90(picture, rotation // 90)  # rot90 turns to the left
    scale = min(picture.shape[0] / height, picture.shape[1] / width)
    rows = ((np.arange(height) + 0.5) * scale + (picture.shape[0] - height * scale) / 2).astype(int)
    columns = ((np.arange(width) + 0.5) * scale + (picture.shape[1] - width * scale) / 2).astype(
        int
    )
    return np.ascontiguousarray(picture[rows][:, columns])


# === Camera frames ===


def through_camera(picture, rotation, step, padding, file):
    """Writes a picture as the planes of a frame; returns the picture that these planes show."""
    height, width = picture.shape[:2]
    y, u, v = to_yuv(picture)
    wide = [np.repeat(np.repeat(plane, 2, 0), 2, 1)[:height, :width] for plane in (u, v)]
    shown = np.rot90(to_rgb(y, *wide), -rotation // 90)

    luma_stride, chroma_stride = width + padding, u.shape[1] * step + padding
    Path(f"{file}.y").write_bytes(plane(y, luma_stride))
    if step == 1:
        Path(f"{file}.u").write_bytes(plane(u, chroma_stride))
        Path(f"{file}.v").write_bytes(plane(v, chroma_stride))
    else:  # as NV21: V first, both planes in one buffer, each ending with its last value
        both = plane(np.stack([v, u], -1).reshape(len(u), -1), chroma_stride)
        Path(f"{file}.v").write_bytes(both[:-1])
        Path(f"{file}.u").write_bytes(both[1:])
    return np.ascontiguousarray(shown), {
        "width": width,
        "height": height,
        "rotation": rotation,
        "luma_stride": luma_stride,
        "chroma_stride": chroma_stride,
        "chroma_step": step,
    }


def to_yuv(picture):
    """The planes of a picture: `(H, W)`, and two `(ceil(H / 2), ceil(W / 2))`."""
    r, g, b = np.moveaxis(picture.astype(np.float64), -1, 0)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    u, v = (128 + (colour - y) * factor for colour, factor in ((b, 1 / 1.772), (r, 1 / 1.402)))
    return (to_bytes(channel) for channel in (y, u[::2, ::2], v[::2, ::2]))


def to_rgb(y, u, v):
    """The integers of libjpeg, `jdcolor.c`."""
    y, u, v = (channel.astype(np.int64) for channel in (y, u, v))
    u, v, half = u - 128, v - 128, 1 << 15
    red = y + (91881 * v + half >> 16)
    green = y + (-22554 * u - 46802 * v + half >> 16)
    blue = y + (116130 * u + half >> 16)
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255).astype(np.uint8)


def to_bytes(values):
    """Rounds to 0..255."""
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def plane(values, stride):
    """Rows with unused bytes between them; as cameras do, without those after the last row."""
    padded = np.full((len(values), stride), 0xAA, np.uint8)
    padded[:, : values.shape[1]] = values
    return padded.tobytes()[: (len(values) - 1) * stride + values.shape[1]]


if __name__ == "__main__":
    main()
