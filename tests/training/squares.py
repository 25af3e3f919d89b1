"""Small pictures with a square in noise, in files, and the smallest network that trains on them."""

import numpy as np
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.training.recipes import DetectionRecipe

TINY = DetectionRecipe(model="tiny", width=0.01, size=64, anchors=2, epochs=2, batch_size=2)


def squares_in(folder):
    """Twelve pictures with a box each."""
    draw = np.random.default_rng(0)
    records = []
    for i in range(12):
        picture = draw.integers(0, 80, (64, 64, 3), np.uint8)
        low, high = draw.uniform(0.1, 0.3, 2), draw.uniform(0.5, 0.9, 2)
        y0, x0, y1, x1 = (np.concatenate([low, high]) * 64).astype(int)
        picture[y0:y1, x0:x1] = 200
        path = folder / f"{i}.png"
        Image.fromarray(picture).save(path)
        box = np.float32([[*low, *high]])
        records.append(Record(str(path), str(i), box, np.int32([i % 2]), np.array([False])))
    return Dataset("scenes", ("a", "b"), records)
