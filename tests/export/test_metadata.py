"""Metadata, read back by walking the flatbuffer by the slots of metadata_schema.fbs."""

import json
import zipfile

import flatbuffers.number_types as N
import pytest
from flatbuffers import encode, packer
from flatbuffers.table import Table

from yolov2_tf.export.flatbuffer import unpack
from yolov2_tf.export.layout import DETECTION_OUTPUTS, LAYOUT_FILE, PREDICTION_OUTPUTS
from yolov2_tf.export.metadata import LABEL_FILE


class Reader:
    """A table of a flatbuffer whose fields are asked for by slot."""

    def __init__(self, data, position):
        self.data, self.table = data, Table(data, position)

    @classmethod
    def root(cls, data):
        return cls(data, encode.Get(packer.uoffset, data, 0))

    def _at(self, slot):
        offset = self.table.Offset(4 + 2 * slot)
        return offset and offset + self.table.Pos

    def text(self, slot):
        return self.table.String(self._at(slot)).decode() if self._at(slot) else None

    def sub(self, slot):
        return Reader(self.data, self.table.Indirect(self._at(slot)))

    def number(self, slot, flags=N.Int8Flags):
        return self.table.Get(flags, self._at(slot)) if self._at(slot) else 0

    def _elements(self, slot):
        if not self._at(slot):
            return []
        field = self._at(slot) - self.table.Pos
        start = self.table.Vector(field)
        return [start + 4 * i for i in range(self.table.VectorLen(field))]

    def tables(self, slot):
        return [Reader(self.data, self.table.Indirect(p)) for p in self._elements(slot)]

    def texts(self, slot):
        return [self.table.String(p).decode() for p in self._elements(slot)]

    def numbers(self, slot, flags):
        return [self.table.Get(flags, p) for p in self._elements(slot)]


def metadata_of(path):
    model = unpack(path.read_bytes())
    (buffer,) = (e.buffer for e in model.metadata if e.name == b"TFLITE_METADATA")
    data = bytearray(model.buffers[buffer].data)
    assert data[4:8] == b"M001"
    return Reader.root(data), model


def test_says_whose_and_what_the_model_is(exported):
    root, model = metadata_of(exported["int8"][0])
    assert [root.text(slot) for slot in (0, 1, 2, 4, 5, 7)] == [
        "Pets",
        "Finds pets.",
        "1",
        "A. Author",
        "CC0",
        "1.2.0",
    ]
    assert [file.text(0) for file in root.tables(6)] == [LAYOUT_FILE]
    assert model.description == b"Finds pets."


@pytest.mark.parametrize("form", ["none", "int8"])
def test_the_input_is_rgb_without_normalisation(form, exported):
    root, _ = metadata_of(exported[form][0])
    (graph,) = root.tables(3)
    (image,) = graph.tables(2)
    assert image.text(0) == "image"
    content = image.sub(3)
    assert content.number(0, N.Uint8Flags) == 2  # ImageProperties
    assert content.sub(1).number(0) == 1  # RGB
    size = content.sub(1).sub(1)
    assert (size.number(0, N.Uint32Flags), size.number(1, N.Uint32Flags)) == (96, 96)
    (unit,) = image.tables(4)
    assert unit.number(0, N.Uint8Flags) == 1  # NormalizationOptions
    assert unit.sub(1).numbers(0, N.Float32Flags) == [0.0]
    assert unit.sub(1).numbers(1, N.Float32Flags) == [1.0]


def test_outputs_are_paired_by_name(exported):
    root, model = metadata_of(exported["none"][0])
    (graph,) = root.tables(3)
    outputs = graph.tables(3)
    tensors = [model.subgraphs[0].tensors[i].name.decode() for i in model.subgraphs[0].outputs]
    assert [output.text(0) for output in outputs] == tensors == list(DETECTION_OUTPUTS)
    location, category, *others = outputs
    assert location.sub(3).number(0, N.Uint8Flags) == 3  # BoundingBoxProperties
    boxes = location.sub(3).sub(1)
    assert boxes.numbers(0, N.Uint32Flags) == [1, 0, 3, 2]
    assert (boxes.number(1), boxes.number(2)) == (1, 0)  # BOUNDARIES, RATIO
    (labels,) = category.tables(6)
    assert (labels.text(0), labels.number(2)) == (LABEL_FILE, 3)  # TENSOR_VALUE_LABELS
    for output in (category, *others):
        assert output.sub(3).number(0, N.Uint8Flags) == 1  # FeatureProperties
    (group,) = graph.tables(8)
    assert group.texts(1) == ["location", "category", "score"]


def test_files_without_suppression_say_so(exported):
    root, _ = metadata_of(exported["none_raw"][0])
    (graph,) = root.tables(3)
    assert [output.text(0) for output in graph.tables(3)] == list(PREDICTION_OUTPUTS)
    assert graph.tables(8) == []


def test_labels_and_layout_are_packed_at_the_end(exported):
    with zipfile.ZipFile(exported["fp16"][0]) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.read(LABEL_FILE).decode().split("\n") == ["cat", "dog", "bird"]
        layout = json.loads(archive.read(LAYOUT_FILE))
    assert layout["quantization"] == "fp16"
    assert layout["input_size"] == 96
    assert layout["resize"] == "letterbox"
    assert layout["nms"] is True
    assert layout["per_class"] is True
    assert layout["score_threshold"] == 0.005
