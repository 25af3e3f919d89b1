"""The recipe of YOLO9000: its trees have the names that people know, its table finds these."""

import importlib.util
import json
from pathlib import Path

import pytest

from yolov2_tf.trees.wordtree import WordTree

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "yolo9000"
WNIDS = ("n00000001", "n02012849", "n02958343", "n03126707")
CALLED = ("thing", "crane", "car", "crane")


def script(name):
    specification = importlib.util.spec_from_file_location(name, RECIPE / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def sets(tmp_path):
    """A bird with boxes; a car and a machine without, of which the machine shares its name."""
    WordTree(WNIDS, [-1, 0, 0, 0]).write(tmp_path / "word.tree")
    (tmp_path / "word.names").write_text("\n".join(CALLED) + "\n")
    (tmp_path / "voc.map").write_text("1\n")
    for wnid in WNIDS[2:]:
        (tmp_path / "labels" / wnid).mkdir(parents=True)
    script("flat_tree").main(
        *(tmp_path / name for name in ("word.tree", "word.names", "voc.map", "labels", "flat"))
    )
    return tmp_path


def test_the_flat_tree_has_the_names_of_its_classes(sets):
    tree = WordTree.read(sets / "flat.tree")
    assert tuple(tree.names) == WNIDS[1:]
    assert (sets / "flat.names").read_text().split() == list(CALLED[1:])
    assert (sets / "flat.map").read_text().split() == ["0"]


def test_the_table_tells_classes_of_one_name_apart(sets, capsys):
    """Figures go by `yolov2_tf.evaluation.distinct_names`, in the order of each run's own tree."""
    for run, names in (("joint", ("crane (1)", "crane (3)")), ("flat", ("crane (0)", "crane (2)"))):
        (sets / "runs" / run).mkdir(parents=True)
        ap = dict(zip(names, (0.75, 0.5), strict=True)) | {"car": 0.25}
        for file in ("never_a_box", "with_boxes"):
            content = json.dumps({"ap": ap, "map": 0.75})
            (sets / "runs" / run / f"{file}.json").write_text(content)
    script("report").table(sets, sets / "runs")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    for run in ("joint", "flat"):
        (row,) = (row for row in rows if run in row)
        assert "75.0" in row  # with boxes
        assert row[row.index("75.0") + 2 :][:2] == ["37.5", "(2)"]
