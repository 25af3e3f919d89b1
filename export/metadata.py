"""What a `.tflite` file says about itself: TFLite metadata, labels, and how YOLOv2 is laid out.

MediaPipe Tasks and Android Studio read the metadata flatbuffer and the label file; this package's
own runtimes read `yolov2.json`. The two files lie in a zip archive at the end of the
`.tflite`, where those readers expect it, so `unzip -l model.tflite` lists them.

The flatbuffer follows `metadata_schema.fbs` of TFLite. Google's writers for it pair metadata and
outputs by index, although the order of outputs in a `.tflite` is arbitrary; this one writes the
metadata in the order of the outputs.
"""

import dataclasses
import io
import json
import zipfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from yolov2_tf.data.names import label_lines
from yolov2_tf.export.layout import DETECTION_OUTPUTS, LAYOUT_FILE

LABEL_FILE = "labels.txt"

# Values of enums and of union tags in metadata_schema.fbs.
_TENSOR_VALUE_LABELS = 3
_RGB = 1
_BOUNDARIES, _RATIO = 1, 0
_FEATURE, _IMAGE, _BOUNDING_BOX = 1, 2, 3
_NORMALIZATION = 1

_DESCRIPTIONS = {
    "location": "Boxes of the detections, [y_min, x_min, y_max, x_max] as fractions of the image.",
    "category": "Classes of the detections, as lines of the label file.",
    "score": "Scores of the detections, 0 to 1, falling.",
    "number of detections": "How many of the places are used.",
    "boxes": "Boxes before suppression, [y_min, x_min, y_max, x_max] as fractions of the image.",
    "scores": "Score of each class in each box, or of each box's label, 0 to 1.",
    "labels": "Labels of the boxes, as lines of the label file.",
    "head": "Raw head tensor: k times tx, ty, tw, th, to and a logit for each class, by cell.",
}


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What a user may say about a model.

    Attributes:
        name: Name of the model.
        description: What it finds.
        author: Who made it.
        license: The terms it may be used under.
        version: Version of the model.
    """

    name: str = "YOLOv2 object detector"
    description: str = "Finds objects and their boxes in a picture."
    author: str = ""
    license: str = ""
    version: str = "1"


def add_metadata(model, info, layout):
    """Adds the TFLite metadata to an unpacked model.

    Args:
        model: `schema.ModelT` whose outputs are named; changed in place.
        info: `ModelInfo`.
        layout: The file's `Layout`.
    """
    graph = model.subgraphs[0]
    outputs = [graph.tensors[index].name.decode() for index in graph.outputs]
    metadata = np.frombuffer(_metadata(info, layout.input_size, outputs), np.uint8)
    model.buffers.append(schema.BufferT(metadata))
    entry = schema.MetadataT(b"TFLITE_METADATA", len(model.buffers) - 1)
    model.metadata = [*(model.metadata or []), entry]
    model.description = info.description.encode()


def append_files(content, layout):
    """The bytes of a `.tflite` file with the label file and `yolov2.json` at its end."""
    file = io.BytesIO()
    file.write(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(LABEL_FILE, label_lines(layout.class_names))
        archive.writestr(LAYOUT_FILE, json.dumps(layout.to_json()))
    return file.getvalue()


# === The flatbuffer ===


def _metadata(info, input_size, outputs):
    write = _Writer()
    image = write.table(
        7,
        (0, write.string("image")),
        (1, write.string("The picture, stretched or letterboxed to the size of the input.")),
        (3, _content(write, _IMAGE, _image_properties(write, input_size))),
        (4, write.vector([_normalization(write)])),
    )
    subgraph = write.table(
        10,
        (0, write.string(info.name)),
        (2, write.vector([image])),
        (3, write.vector([_output(write, name) for name in outputs])),
        (8, write.vector(_groups(write, outputs))),
    )
    root = write.table(
        8,
        (0, write.string(info.name)),
        (1, write.string(info.description)),
        (2, write.string(info.version)),
        (3, write.vector([subgraph])),
        (4, write.string(info.author)),
        (5, write.string(info.license)),
        (6, write.vector([_file(write, LAYOUT_FILE, "How the network is to be used.")])),
        (7, write.string("1.2.0")),
    )
    return write.finish(root, b"M001")


def _output(write, name):
    files = []
    match name:
        case "location":
            content = _content(write, _BOUNDING_BOX, _box_properties(write))
        case "category":
            files = [_file(write, LABEL_FILE, "Names of the classes.", _TENSOR_VALUE_LABELS)]
            content = _content(write, _FEATURE, write.table(0))
        case _:
            content = _content(write, _FEATURE, write.table(0))
    return write.table(
        7,
        (0, write.string(name)),
        (1, write.string(_DESCRIPTIONS[name])),
        (3, content),
        *([(6, write.vector(files))] if files else []),
    )


def _groups(write, outputs):
    """Tells readers that location, category and score are columns of one table."""
    if set(outputs) != set(DETECTION_OUTPUTS):
        return []
    columns = write.vector([write.string(name) for name in DETECTION_OUTPUTS[:3]])
    return [write.table(2, (0, write.string("detection_result")), (1, columns))]


def _content(write, tag, properties):
    return write.table(3, (0, tag, "Uint8"), (1, properties))


def _image_properties(write, size):
    default_size = write.table(2, (0, size, "Uint32"), (1, size, "Uint32"))
    return write.table(2, (0, _RGB, "Int8"), (1, default_size))


def _box_properties(write):
    """The index says where left, top, right and bottom are: y_min comes first here."""
    return write.table(
        3,
        (0, write.numbers([1, 0, 3, 2], "Uint32")),
        (1, _BOUNDARIES, "Int8"),
        (2, _RATIO, "Int8"),
    )


def _normalization(write):
    """None: the network takes pixels as they are, 0 to 255."""
    options = write.table(
        2, (0, write.numbers([0.0], "Float32")), (1, write.numbers([1.0], "Float32"))
    )
    return write.table(2, (0, _NORMALIZATION, "Uint8"), (1, options))


def _file(write, name, description, kind=0):
    return write.table(
        5, (0, write.string(name)), (1, write.string(description)), (2, kind, "Int8")
    )


class _Writer:
    """Writes the tables of a flatbuffer, children first."""

    def __init__(self):
        self._builder = flatbuffers.Builder(1024)

    def string(self, text):
        return self._builder.CreateString(text)

    def vector(self, offsets):
        """A vector of tables or strings."""
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return self._builder.EndVector()

    def numbers(self, values, kind):
        """A vector of four-byte numbers."""
        self._builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            getattr(self._builder, f"Prepend{kind}")(value)
        return self._builder.EndVector()

    def table(self, slots, *fields):
        """A table of `slots` fields: `(slot, offset)` or `(slot, number, type)`."""
        self._builder.StartObject(slots)
        for slot, value, *kind in fields:
            if kind:
                getattr(self._builder, f"Prepend{kind[0]}Slot")(slot, value, 0)
            else:
                self._builder.PrependUOffsetTRelativeSlot(slot, value, 0)
        return self._builder.EndObject()

    def finish(self, root, identifier):
        self._builder.Finish(root, file_identifier=identifier)
        return bytes(self._builder.Output())
