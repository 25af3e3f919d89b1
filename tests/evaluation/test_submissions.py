"""Results files as their kits read them: VOC's in the devkit's way, COCO's with pycocotools."""

import dataclasses
import json
import math

import numpy as np
import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.evaluation.submissions import write_coco_results, write_voc_results

SIZES = [(500, 375), (333, 500), (640, 480), (96, 64)]


def scenes(seed=0, classes=("cat", "dog", "bird")):
    """Truths in whole pixels, and detections near some of them."""
    rng = np.random.default_rng(seed)
    records, found = [], []
    for i, (width, height) in enumerate(SIZES * 3):
        count = int(rng.integers(1, 5))
        low = rng.uniform(0, 0.5, (count, 2))
        boxes = np.concatenate([low, low + rng.uniform(0.1, 0.5, (count, 2))], axis=1)
        boxes = np.round(boxes * [height, width, height, width]) / [height, width, height, width]
        labels = rng.integers(0, len(classes), count)
        ignore = rng.random(count) < 0.2
        records.append(
            Record(None, f"{i + 1:06d}", boxes, labels, ignore, width=width, height=height)
        )
        near = np.concatenate([boxes + rng.normal(0, 0.03, boxes.shape), boxes[:1]]).clip(0, 1)
        named = np.append(np.where(rng.random(count) < 0.8, labels, 0), labels[0])
        found.append({"boxes": near, "labels": named, "scores": rng.uniform(0.1, 1, count + 1)})
    return Dataset("made up", classes, records), found


def devkit_ap(lines, truths):
    """`VOCevaldet.m` of VOC2007 for one class: reads the lines, counts pixels with borders."""
    rows = [line.split() for line in lines]
    rows.sort(key=lambda row: -float(row[1]))
    used, hits, count = set(), [], sum(not d for boxes in truths.values() for _, d in boxes)
    for image, _, *numbers in rows:
        box = list(map(float, numbers))
        best, place = -math.inf, None
        for j, (truth, _) in enumerate(truths[image]):
            w = min(box[2], truth[2]) - max(box[0], truth[0]) + 1
            h = min(box[3], truth[3]) - max(box[1], truth[1]) + 1
            if w > 0 and h > 0:
                area = sum((b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, truth))
                if w * h / (area - w * h) > best:
                    best, place = w * h / (area - w * h), (image, j)
        if best >= 0.5:
            if truths[image][place[1]][1]:
                continue  # difficult
            hits.append(place not in used)
            used.add(place)
        else:
            hits.append(False)
    hits = np.cumsum(hits)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / count
    levels = [max(precision[recall >= t / 10], default=0.0) for t in range(11)]
    return sum(levels) / 11


def test_the_devkit_finds_the_same_average_precision(tmp_path):
    dataset, found = scenes()
    paths = write_voc_results(dataset, found, tmp_path / "results")
    assert [path.name for path in paths] == [
        f"comp4_det_test_{name}.txt" for name in dataset.class_names
    ]
    for label, path in enumerate(paths):
        truths = {}
        for record in dataset.records:
            # What the XML said: the reader takes 1 off, and both borders are inside the box.
            scale = np.array([record.width, record.height] * 2)
            pixels = record.boxes[:, [1, 0, 3, 2]].astype(float) * scale + 1
            truths[record.image_id] = [
                (pixels[i], record.ignore[i]) for i in np.flatnonzero(record.labels == label)
            ]
        # In the devkit a box is a pixel larger than ours: give ours that pixel for the comparison.
        grown, larger = _grown(dataset, found)
        expected = evaluate(grown, larger, "voc07").ap[dataset.class_names[label]]
        assert devkit_ap(path.read_text().splitlines(), truths) == pytest.approx(expected)
        assert 0 < expected < 1


def _grown(dataset, found):
    def grow(boxes, record):
        pixel = np.array([0, 0, 1 / record.height, 1 / record.width])
        limits = np.array([1 - 1 / record.height, 1 - 1 / record.width] * 2)
        return np.minimum(boxes, limits) + pixel  # files hold no pixel beyond the last

    records = [
        Record(**{name: getattr(r, name) for name in r.__slots__} | {"boxes": _plain(r)})
        for r in dataset.records
    ]
    larger = [
        {**f, "boxes": grow(f["boxes"], r)} for f, r in zip(found, dataset.records, strict=True)
    ]
    return Dataset("grown", dataset.class_names, records), larger


def _plain(record):
    return record.boxes + np.array([0, 0, 1 / record.height, 1 / record.width])


def test_lines_have_the_pixels_of_the_annotations(tmp_path, shared_data):
    dataset = open_dataset(shared_data / "voc2007_sample")
    truths = [{"boxes": r.boxes, "labels": r.labels, "scores": r.labels * 0 + 1.0}
              for r in dataset.records]  # fmt: skip
    write_voc_results(dataset, truths, tmp_path)
    lines = (tmp_path / "comp4_det_test_dog.txt").read_text().split("\n")[:-1]
    for line in lines:
        image, score, *numbers = line.split()
        xml = (shared_data / "voc2007_sample/Annotations" / f"{image}.xml").read_text()
        tags = zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True)
        assert all(f"<{tag}>{float(number):.0f}</{tag}>" in xml for tag, number in tags)
        assert float(score) == 1
    assert len(lines) == sum((r.labels == dataset.class_names.index("dog")).sum()
                             for r in dataset.records)  # fmt: skip


def test_pycocotools_finds_the_same_average_precision(tmp_path, shared_data):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    dataset = open_dataset(shared_data / "coco_sample")
    rng = np.random.default_rng(0)
    found = []
    for record in dataset.records:
        boxes = (record.boxes + rng.normal(0, 0.01, record.boxes.shape)).clip(0, 1)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 0.01)
        scores = rng.permutation(len(boxes)) / 100 + 0.1
        found.append({"boxes": boxes, "labels": record.labels, "scores": scores})
    file = shared_data / "coco_sample/annotations/instances_val2017.json"
    ids = {c["name"]: c["id"] for c in json.loads(file.read_text())["categories"]}
    write_coco_results(dataset, found, tmp_path / "results.json", ids)
    truth = COCO(str(file))
    evaluation = COCOeval(truth, truth.loadRes(str(tmp_path / "results.json")), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    ours = evaluate(dataset, found, "coco")
    assert evaluation.stats[0] == pytest.approx(ours.map, abs=2e-3)  # areas differ: outline, box
    assert evaluation.stats[1] == pytest.approx(ours.extra["AP50"], abs=2e-3)
    assert 0.3 < ours.map < 1


def test_classes_without_a_category_are_left_out(tmp_path):
    dataset, found = scenes()
    write_coco_results(dataset, found, tmp_path / "r.json", {"cat": 7, "bird": 9})
    rows = json.loads((tmp_path / "r.json").read_text())
    labels = np.concatenate([one["labels"] for one in found])
    assert [row["category_id"] for row in rows] == [
        {0: 7, 2: 9}[label] for label in labels if label != 1
    ]


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    dataset, found = scenes()
    with pytest.raises(InputError, match="no category id for cat, dog, bird"):
        write_coco_results(dataset, found, tmp_path / "r.json", {"horse": 1})
    unsized = Dataset(
        "unsized", ("cat",), [Record(None, "a", *(np.zeros(s) for s in ((0, 4), 0, 0)))]
    )
    nothing = [{"boxes": np.zeros((0, 4)), "labels": [], "scores": []}]
    with pytest.raises(InputError, match="size of the picture"):
        write_voc_results(unsized, nothing, tmp_path / "voc")
    assert not list(tmp_path.iterdir())
    named = Dataset(
        "named", ("cat",), [Record(None, "a", *(np.zeros(s) for s in ((0, 4), 0, 0)), 5, 5)]
    )
    record = dataclasses.replace(dataset.records[0], image_id="p 0.jpg")
    spaced = dataclasses.replace(dataset, records=[record])
    with pytest.raises(InputError, match=r"image id 'p 0\.jpg'"):
        write_voc_results(spaced, found[:1], tmp_path / "voc")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="a number, as COCO's are"):
        write_coco_results(named, nothing, tmp_path / "r.json", {"cat": 1})


def test_nodes_that_share_a_name_have_a_file_each(tmp_path):
    dataset, found = scenes(classes=("crane", "dog", "crane"))
    paths = write_voc_results(dataset, found, tmp_path)
    assert [path.name[len("comp4_det_test_") :] for path in paths] == [
        *("crane (0).txt", "dog.txt", "crane (2).txt")
    ]
    lines = sum(len(path.read_text().splitlines()) for path in tmp_path.iterdir())
    assert lines == sum(len(one["labels"]) for one in found)
