"""The paper's recipes are recipes, and what is set wins."""

from types import SimpleNamespace

import pytest

from yolov2_tf.cli.classify import _choose
from yolov2_tf.errors import InputError
from yolov2_tf.training import paper
from yolov2_tf.training.recipes import ClassificationRecipe, DetectionRecipe


def test_the_papers_fields_make_a_recipe_that_differs_from_the_default():
    for kind, fields in (
        (DetectionRecipe, paper.DETECTION),
        (ClassificationRecipe, paper.CLASSIFICATION),
    ):
        recipe = kind(**paper.start(fields, {}))
        for name in fields:
            assert getattr(recipe, name) != getattr(kind(), name), name
    recipe = DetectionRecipe(**paper.start(paper.DETECTION, {}))
    assert (recipe.batch_size, recipe.epochs, recipe.schedule) == (64, 160, "steps")
    assert (recipe.optimizer, recipe.learning_rate, recipe.resize_every) == ("sgd", 1e-3, 10)


def test_what_is_set_wins_and_what_cannot_be_is_left_out():
    chosen = paper.start(paper.DETECTION, {"jitter": 0.1, "model": "tiny", "size": 224})
    assert chosen == {"clip_norm": None}
    DetectionRecipe(**chosen, jitter=0.1, model="tiny", size=224)


def test_classify_train_takes_it_by_name():
    params = {"rotation": 3.0, "fine_zoom": "0.57-2", "clip_norm": "10", "epochs": 7}

    def source(name):
        return SimpleNamespace(name="COMMANDLINE" if name == "rotation" else "DEFAULT")

    context = SimpleNamespace(params=params, get_parameter_source=source)
    _choose(context, "default")
    assert context.params["clip_norm"] == "10"
    _choose(context, "paper")
    assert context.params == {
        **{"rotation": 3.0, "fine_zoom": "1-1.14286", "clip_norm": "off", "epochs": 7},
        **{"saturation": 4 / 3, "exposure": 4 / 3, "high_resolution": "448,10"},
    }
    with pytest.raises(InputError, match="darknet"):
        _choose(context, "darknet")
