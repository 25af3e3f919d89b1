"""Turned boxes and outlines in VOC's XML."""

import numpy as np
import pytest

from yolov2_tf.data.readers.voc_xml import read_voc

BOX = (21 / 80, 11 / 100, 61 / 80, 31 / 100)  # y_min x_min y_max x_max
WIDER = (21 / 80, 1 / 100, 61 / 80, 41 / 100)
TURNED = "<robndbox><cx>22</cx><cy>42</cy><w>{}</w><h>{}</h><angle>{}</angle></robndbox>"
CORNERS = ((12, 22), (32, 22), (32, 62), (12, 62))
TAGS = ("left_top", "right_top", "right_bottom", "left_bottom")
SHAPES = {
    "roLabelImg": TURNED.format(20, 40, 0),
    "roLabelImg, a quarter turn": TURNED.format(40, 20, np.pi / 2),
    "roLabelImg, turned": TURNED.format(10 * 2**0.5, 30 * 2**0.5, np.pi / 4),
    "DIOR-R": "<robndbox>{}</robndbox>".format(
        "".join(
            f"<x_{tag}>{x}</x_{tag}><y_{tag}>{y}</y_{tag}>"
            for tag, (x, y) in zip(TAGS, CORNERS, strict=True)
        )
    ),
    "LabelMe": "<polygon>{}<username>me</username></polygon>".format(
        "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in CORNERS)
    ),
}
POLYGON = "<polygon><x1>3</x1><y1>3</y1><x2>30</x2><y2>4</y2></polygon>"  # Roboflow's
EDGE = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>50</xmax><ymax>50</ymax></bndbox>"


def read(folder, *objects):
    things = "".join(f"<object><name>dog</name>{inside}</object>\n" for inside in objects)
    size = "<size><width>100</width><height>80</height></size>"
    (folder / "Annotations").mkdir()
    path = folder / "Annotations" / "a.xml"
    path.write_text(f"<annotation><filename>a.jpg</filename>{size}\n{things}</annotation>")
    dataset = read_voc(folder)
    return dataset.records[0].boxes, dataset.notes


@pytest.mark.parametrize("shape", SHAPES)
def test_the_upright_box_is_taken_and_said(tmp_path, shape):
    boxes, notes = read(tmp_path, SHAPES[shape], EDGE)
    expected = WIDER if shape == "roLabelImg, turned" else BOX
    np.testing.assert_allclose(boxes[0], expected, atol=1e-6)
    assert "turned boxes and outlines, of which the upright box is taken: 1" in notes


def test_what_is_no_shape_is_left_out(tmp_path):
    broken = ["<robndbox><cx>1</cx></robndbox>", POLYGON, "<polygon/>"]
    boxes, notes = read(tmp_path, *[EDGE] * 4, *broken)
    assert len(boxes) == 1
    assert any("objects without a box, left out: 3" in note for note in notes)


def test_what_labelme_keeps_of_removed_objects_is_none(tmp_path):
    removed = [f"<deleted>1</deleted>{SHAPES['LabelMe']}"] * 30
    boxes, notes = read(tmp_path, EDGE, *removed, f"<deleted>0</deleted>{SHAPES['LabelMe']}")
    assert len(boxes) == 2
    assert not any("left out" in note for note in notes)
