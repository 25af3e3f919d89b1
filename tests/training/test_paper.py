"""The paper's recipes are recipes, and what is set wins."""

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


def test_the_larger_size_of_a_classifier_is_twice_the_one_that_is_set():
    chosen = paper.start(paper.CLASSIFICATION, {"size": 64, "rotation": 3.0})
    assert chosen["high_resolution"] == (128, 10)
    assert "rotation" not in chosen
    ClassificationRecipe(**chosen, size=64, rotation=3.0)
