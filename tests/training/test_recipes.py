"""Recipes refuse what cannot be wherever they are made, and name the field."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.training.recipes import ClassificationRecipe, DetectionRecipe

NAN, INF = float("nan"), float("inf")

WRONG = {
    "schedule": ("linear", None),
    "width": (-1, 0, 5, NAN, INF, "1", None, True),
    "size": (0, 31, 100, -32, 64.0, "64", None, 32 * 300),
    "resize": ("crop", 1),
    "epochs": (0, -1, 1.5, "3", True, None, INF),
    "batch_size": (0, -8, 2.5),
    "optimizer": ("lion", None),
    "learning_rate": (0, -1e-3, NAN, INF, -INF, "1e-3"),
    "weight_decay": (-1e-4, NAN, INF),
    "clip_norm": (0, -1, NAN, INF, "off", True),
    "accumulate": (0, 1.5, None, True),
    "sync_batch_norm": ("yes", 1, None),
    "saturation": (0.9, NAN, "1", None),
    "exposure": (0, 11, None),
    "flip": ("no", 1, None),
    "weights": (3, True),
    "freeze": (True, "yes"),  # nothing is loaded
    "mean": (-0.1, 1, 1.5, NAN, "0.9", None, True),
    "precision": ("float64", None),
    "seed": (-1, 0.5, 2**31),
    "checkpoint_minutes": (-1, NAN, INF, "10", None, True),
    "minutes": (0, -1, INF, "5", True),
    "tree_logits": ("twigs", None, 3),
}

WRONG_FOR_DETECTORS = {
    "model": ("yolov3", "", None, "model.h5"),
    "multi_scale": ((320, 32 * 300), (320, 600), (608, 320), (320,), 320, "320-608", (0, 64)),
    "resize_every": (0, 1.5),
    "anchors": (0, -1, 2.0),
    "passthrough": ("half", None, 64),
    "jitter": (-0.1, 0.5, NAN),
    "ratio": ((0, 1), (4, 0), (4,), (4, 1.5), "4:1", None),
    "mosaic": (-0.1, 1.1, NAN),
    "box_mosaic": (-0.1, 1.1, NAN),
    "image_rule": ("mine",),
    "balance": ("yes",),
    "spare": (0,),
    "teacher": (3, True),
    "passes": (0, 1.5, None),
}

WRONG_FOR_CLASSIFIERS = {
    "high_resolution": ((450, 10), (448, 0), (448,), 448, (448, 1.5)),
    "zoom": ((2.0, 0.5), (0.0, 1.0), (1, 11), (NAN, 1), ("1", 2), 1.5),
    "fine_zoom": ((2.0, 0.5), (0.0, 1.0), 1),
    "rotation": (-1, 46, NAN, None),
}


def cases():
    for kind, more in (
        (DetectionRecipe, WRONG_FOR_DETECTORS),
        (ClassificationRecipe, WRONG_FOR_CLASSIFIERS),
    ):
        for field, values in (WRONG | more).items():
            for value in values:
                yield pytest.param(kind, field, value, id=f"{kind.__name__}-{field}-{value}")


@pytest.mark.parametrize(("kind", "field", "value"), list(cases()))
def test_what_cannot_be_is_refused_and_named(kind, field, value):
    with pytest.raises(InputError) as refused:
        kind(**{field: value})
    assert refused.value.field == field
    assert refused.value.expected
    with pytest.raises(InputError):
        dataclasses.replace(kind(), **{field: value})


def test_every_field_has_its_wrong_values():
    for kind, more in (
        (DetectionRecipe, WRONG_FOR_DETECTORS),
        (ClassificationRecipe, WRONG_FOR_CLASSIFIERS),
    ):
        assert {field.name for field in dataclasses.fields(kind)} == set(WRONG | more)
        assert kind.CHANGEABLE.issubset(WRONG | more)


@pytest.mark.parametrize(
    "recipe",
    [
        DetectionRecipe(),
        DetectionRecipe(
            model="some/net.keras",
            freeze=True,
            multi_scale=[320, np.int64(608)],
            epochs=np.int64(3),
            learning_rate=np.float32(0.5),
            weights=Path("w.keras"),
        ),
        DetectionRecipe(clip_norm=None, passthrough="full", accumulate=8),
        ClassificationRecipe(),
        ClassificationRecipe(high_resolution=[448, 10], zoom=[1, 1], weights="w", freeze=True),
    ],
)
def test_a_recipe_comes_back_from_its_record(recipe):
    config = json.loads(json.dumps({**vars(recipe), "data": {"name": "x"}, "classes": []}))
    assert type(recipe).of(config) == recipe


def test_old_records_lack_what_has_a_default():
    assert DetectionRecipe.of({"epochs": 3}) == DetectionRecipe(epochs=3)


@pytest.mark.parametrize("model", ["tiny", "net.keras"])
def test_only_a_new_yolov2_has_a_choice_of_passthrough(model):
    assert DetectionRecipe(model=model).passthrough == "squeezed"
    with pytest.raises(InputError, match="passthrough is none"):
        DetectionRecipe(model=model, passthrough="none")
