"""Exports a detector as a SavedModel for TensorFlow Serving: pictures in, detections out."""

import contextlib
import dataclasses
import io
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from yolov2_tf.boxes import clip
from yolov2_tf.data.names import label_lines
from yolov2_tf.data.pixels import pixels_of
from yolov2_tf.detection.predict import detect, detector, prepare
from yolov2_tf.detection.thresholds import EXPORT, either
from yolov2_tf.errors import InputError
from yolov2_tf.export.check import PICTURES, check_same_detections, compare, judge, sample_pictures
from yolov2_tf.export.detectors import FORMS, Detector
from yolov2_tf.export.image_bytes import decode
from yolov2_tf.export.inference_network import in_float32
from yolov2_tf.export.layout import (
    HEAD_OUTPUTS,
    LAYOUT_FILE,
    SERVED_OUTPUTS,
    describe,
    parse_layout,
)
from yolov2_tf.export.metadata import LABEL_FILE
from yolov2_tf.export.postprocessing import above
from yolov2_tf.export.warmup import write_warmup
from yolov2_tf.files import replacing
from yolov2_tf.models.heads import find_head
from yolov2_tf.models.loading import trained_in
from yolov2_tf.resize import box_transform, resize_image

LAYOUT_ASSET = f"assets.extra/{LAYOUT_FILE}"


def export_saved_model(model, folder, *, version=None, pictures=None, thresholds=EXPORT):
    """Writes a detector as a SavedModel, after comparing it with the model on pictures.

    Signatures:

    - `serving_default`: `images` `(B, H, W, 3)` uint8 RGB, any H and W;
    - `image_bytes`: `image_bytes` `(B,)` strings, each a JPEG, PNG, BMP, GIF or WebP of any size;
      over REST `{"b64": ...}`;
    - `raw`: `images` `(B, S, S, 3)` float32 0..255 of the network's size to `head`, its raw head
      tensor.

    The first two give `detection_boxes` `(B, N, 4)` as fractions of each picture,
    `detection_scores` `(B, N)`, `detection_classes` `(B, N)` int32, `detection_names` `(B, N)`
    strings and `num_detections` `(B,)` int32, sorted by score. Unused places hold 0, the class -1
    and an empty name. `assets/` holds the class names, `assets.extra/` `yolov2.json` and requests
    by which a server warms up.

    Args:
        model: `DetectionModel`.
        folder: The model's folder, as TensorFlow Serving watches it; the SavedModel is written
            to `folder/version`.
        version: A number; default: one more than the largest there is.
        pictures: `(H, W, 3)` uint8 pictures to compare on; default: two photos that come with
            scikit-learn.
        thresholds: `Thresholds` of the suppression; None in them means that of `EXPORT`, whose low
            score leaves the choice to the client and lets the SavedModel be evaluated; a higher
            one shortens the answers. N is the number of detections.

    Returns:
        `(path, difference)`: the folder of the version and the `Difference` from the model.

    Raises:
        ExportError: If the SavedModel does not do what the model does. Nothing is written then.
    """
    model = in_float32(model)
    head = find_head(model)
    pictures = list(pictures or sample_pictures())[:PICTURES]
    layout = describe(head, nms=True, thresholds=thresholds, outputs=SERVED_OUTPUTS)
    limits = layout.thresholds
    network = detector(model, limits.score, limits.iou, limits.detections, limits.tree)
    path = Path(folder) / str(version if version is not None else next_version(folder))
    with replacing(path) as temporary:
        _write(temporary, model, network, layout)
        write_warmup(temporary, Path(folder).name, _example_requests(head.input_size))
        return path, _check(temporary, model, network, pictures, path)


def next_version(folder):
    """One more than the largest version in a model's folder, 1 if there is none."""
    return max(_versions(folder), default=0) + 1


class SavedModelDetector(Detector):
    """Detector over an exported SavedModel. TensorFlow lets threads share it as it is.

    Args:
        path: The folder of one version, or the model's folder: the newest version counts.
        score_threshold: Detections score above this, 0..1; default: 0.25, or the file's own if that
            is higher. It cannot go below its own.
        thresholds: `Thresholds` in place of `score_threshold`.

    Attributes:
        runtime: TensorFlow and its version; for the others see `Detector`.

    Raises:
        InputError: If there is no SavedModel, or it is not of this package.
    """

    runtime = f"tensorflow {tf.__version__}"

    def __init__(self, path, score_threshold=None, thresholds=None):
        given = path = Path(path)
        if versions := _versions(path):
            path /= str(max(versions))
        if not (path / "saved_model.pb").is_file():
            raise InputError(
                "is no model: there is no saved_model.pb in it",
                where=given,
                expected=FORMS,
                hint=trained_in(given)
                or "the model before the data, as in `yolov2 evaluate MODEL DATA`",
            )
        try:
            layout = parse_layout((path / LAYOUT_ASSET).read_text(), path)
            # Held, since its signatures do not keep it alive.
            self._loaded = tf.saved_model.load(str(path))
        except InputError:
            raise
        except (OSError, ValueError) as error:
            raise InputError(
                f"no SavedModel of this package: {error}",
                where=path,
                hint="yolov2 export MODEL.keras --format saved_model",
            ) from error
        _check_signatures(self._loaded.signatures, layout, path)
        super().__init__(layout, either(score_threshold, thresholds), path)

    def run(self, image):
        """The outputs of `serving_default` for one `(H, W, 3)` picture, values 0..255."""
        images = tf.constant(np.rint(image[None]).astype(np.uint8))
        return self._loaded.signatures["serving_default"](images=images)

    def _detect_each(self, pictures):
        for picture in pictures:  # resized in the graph
            yield detections_of(self.run(pixels_of(picture)), 0, self.thresholds)

    def detect_bytes(self, encoded):
        """Finds the objects in each of several encoded pictures, decoded in the graph.

        Args:
            encoded: Iterable of bytes.

        Returns:
            List of dicts as those of `detect`.
        """
        encoded = list(encoded)
        outputs = self._loaded.signatures["image_bytes"](
            image_bytes=tf.constant(encoded, tf.string)
        )
        return [detections_of(outputs, i, self.thresholds) for i in range(len(encoded))]

    def raw(self, images):
        """The head tensor `(B, S, S, k · (5 + C))` of images `(B, S, S, 3)`, values 0..255."""
        return self._loaded.signatures["raw"](images=tf.cast(images, tf.float32))["head"].numpy()


def detections_of(outputs, index, thresholds):
    """One picture's `boxes`, `labels` and `scores` from the outputs for a batch."""
    count = int(outputs["num_detections"][index])
    found = {
        "boxes": np.asarray(outputs["detection_boxes"][index], np.float32)[:count],
        "labels": np.asarray(outputs["detection_classes"][index], np.int32)[:count],
        "scores": np.asarray(outputs["detection_scores"][index], np.float32)[:count],
    }
    return above(found, thresholds)


def _check_signatures(signatures, layout, path):
    """Refuses a SavedModel that is not the one described."""
    served, raw = signatures["serving_default"], signatures["raw"]
    image = raw.structured_input_signature[1]["images"].shape.as_list()
    for signature, outputs in ((served, SERVED_OUTPUTS), (raw, HEAD_OUTPUTS)):
        described = dataclasses.replace(layout, nms=signature is served, outputs=outputs)
        specs = signature.structured_outputs
        shapes = {name: tuple(spec.shape.as_list()) for name, spec in specs.items()}
        described.check_network(tuple(image), shapes, path)


def _write(path, model, network, layout):
    size = layout.input_size
    label_file = path.with_name(LABEL_FILE)
    label_file.write_text(label_lines(layout.class_names), encoding="utf-8")
    # Reading the names from a file makes the file an asset of the SavedModel.
    names = tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            str(label_file),
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
        ),
        default_value="",
    )
    from_pixels, from_bytes = _signatures(network, names, size, layout.resize)

    def raw(images):
        return {"head": model(_not_empty(images), training=False)}

    archive = keras.export.ExportArchive()
    # Variables are found by the endpoints. Of a network that is tracked, too, Keras 3.15 writes
    # them twice, as its own and as TensorFlow's.
    archive.track(names)
    archive.add_endpoint(
        "serving_default", from_pixels, [tf.TensorSpec((None, None, None, 3), tf.uint8, "images")]
    )
    archive.add_endpoint(
        "image_bytes", from_bytes, [tf.TensorSpec((None,), tf.string, "image_bytes")]
    )
    archive.add_endpoint("raw", raw, [tf.TensorSpec((None, size, size, 3), tf.float32, "images")])
    with _quiet():
        archive.write_out(str(path), verbose=False)
    extra = path / LAYOUT_ASSET
    extra.parent.mkdir()
    extra.write_text(json.dumps(layout.to_json()))


def _signatures(network, names, size, mode):
    """From pixels and from encoded pictures to detections with names, as two functions."""

    def detections(resized, shapes):
        outputs = network(_not_empty(resized), training=False)
        scale, offset = box_transform(shapes, size, mode)
        return {
            "detection_boxes": clip((outputs["boxes"] - offset[:, None]) / scale[:, None]),
            "detection_scores": outputs["scores"],
            "detection_classes": outputs["labels"],
            "detection_names": names.lookup(tf.cast(outputs["labels"], tf.int64)),
            "num_detections": outputs["num_detections"],
        }

    def from_pixels(images):
        shape = tf.shape(images)
        resized = tf.map_fn(
            lambda image: resize_image(image, size, mode),
            images,
            fn_output_signature=tf.TensorSpec((size, size, 3), tf.float32),
        )
        return detections(resized, tf.tile(shape[None, 1:3], [shape[0], 1]))

    def from_bytes(image_bytes):
        def decoded(encoded):
            image = decode(encoded)
            return resize_image(image, size, mode), tf.shape(image)[:2]

        resized, shapes = tf.map_fn(
            decoded,
            image_bytes,
            fn_output_signature=(
                tf.TensorSpec((size, size, 3), tf.float32),
                tf.TensorSpec((2,), tf.int32),
            ),
        )
        return detections(resized, shapes)

    return from_pixels, from_bytes


def _not_empty(images):
    """The images; a request without any is refused before convolutions trip over it."""
    some = tf.debugging.assert_positive(tf.shape(images)[0], message="the batch is empty")
    with tf.control_dependencies([some]):
        return tf.identity(images)


@contextlib.contextmanager
def _quiet():
    """Without TensorFlow's warnings that tables have no place in a format of its first version."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


def _example_requests(size):
    """Inputs for each signature."""
    picture = np.full((size, size, 3), 127, np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "JPEG")
    return {
        "serving_default": {"images": tf.constant(picture[None])},
        "image_bytes": {"image_bytes": tf.constant([encoded.getvalue()])},
        "raw": {"images": tf.constant(picture[None], tf.float32)},
    }


def _check(path, model, network, pictures, where):
    """Runs every signature of the written SavedModel and compares it with the model."""
    head = find_head(model)
    written = SavedModelDetector(path, network.get_layer("non_max_suppression").score_threshold)
    images, _ = prepare(pictures, head.input_size, head.resize)
    difference = compare(model, written.raw(images), pictures)
    judge(difference, where)
    found = list(written.detect(pictures))
    check_same_detections(list(detect(network, pictures)), found, where)
    encoded = []
    for picture in pictures:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG", compress_level=1)
        encoded.append(file.getvalue())
    check_same_detections(found, written.detect_bytes(encoded), where)
    return difference


def _versions(folder):
    folder = Path(folder)
    names = (entry.name for entry in folder.iterdir()) if folder.is_dir() else ()
    return [int(name) for name in names if name.isdecimal()]
