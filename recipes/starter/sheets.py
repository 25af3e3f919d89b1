"""Draws what a network finds in pictures that it never saw: twelve of them, and its worst twelve.

    python recipes/starter/sheets.py starter SCORED out        SCORED: voc2007_sample

`sheet.png` has every so many-th picture with all that is found. `failures.png` has those with the
most mistakes: ground truth that was missed (dashed) and detections that are false (in colour).
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from yolov2_tf.boxes import iou
from yolov2_tf.data.images import load_image
from yolov2_tf.data.source import open_dataset
from yolov2_tf.drawing.pictures import contact_sheet, draw_detections
from yolov2_tf.export.detectors import open_model
from yolov2_tf.zoo.names import model_path

SHOWN = 12


def main(model, data, out):
    """Writes `sheet.png` and `failures.png` into the folder `out`."""
    detector, out = open_model(model_path(model)), Path(out)
    records = open_dataset(data, class_names=detector.class_names).records
    found = list(detector.detect(record.image for record in records))
    mistakes = [wrong(record, one) for record, one in zip(records, found, strict=True)]
    out.mkdir(parents=True, exist_ok=True)

    def draw(number, chosen=slice(None), truths=None):
        picture = load_image(records[number].image)
        boxes, labels, scores = (
            found[number][key][chosen] for key in ("boxes", "labels", "scores")
        )
        names = detector.class_names
        return draw_detections(picture, boxes, labels, scores, names, truth_boxes=truths)

    every = np.linspace(0, len(records) - 1, SHOWN).astype(int)
    save([draw(number) for number in every], out / "sheet.png")
    worst = np.argsort([len(missed) + false.sum() for missed, false in mistakes])[::-1][:SHOWN]
    failures = [draw(number, mistakes[number][1], mistakes[number][0]) for number in worst]
    save(failures, out / "failures.png")


def wrong(record, found):
    """`(boxes (m, 4) of ground truth that was missed, which of the detections are false)`."""
    truths, labels = record.boxes[~record.ignore], record.labels[~record.ignore]
    shape = (len(found["boxes"]), len(truths))
    overlaps = [[iou(box, truth) for truth in truths] for box in found["boxes"]]
    fits = np.reshape(overlaps, shape) >= 0.5
    fits &= np.asarray(found["labels"])[:, None] == labels
    return truths[~fits.any(axis=0)], ~fits.any(axis=1)


def save(pictures, path):
    """Writes a sheet of pictures."""
    Image.fromarray(contact_sheet(pictures)).save(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
