"""A run whose figures are no numbers."""

import dataclasses
import json

import numpy as np
import pytest

from tests.shallow_networks import ShallowDetection
from tests.training.squares import TINY, squares_in
from yolov2_tf.errors import InputError
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.fit import train


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return squares_in(tmp_path_factory.mktemp("scenes"))


def test_the_first_loss_that_is_no_number_ends_a_run(tmp_path, scenes):
    recipe = dataclasses.replace(TINY, learning_rate=1e30, checkpoint_minutes=0)
    with pytest.raises(InputError) as error:
        train(ShallowDetection(scenes), recipe, tmp_path)
    message = str(error.value)
    for part in ("at epoch 1, step ", "norm of the gradient", "learning rate", "Try: "):
        assert part in message
    batch = json.loads((tmp_path / "diverged" / "batch.json").read_text())
    images = sorted((tmp_path / "diverged").glob("*.png"))
    assert len(images) == len(batch["pictures"]) == 2
    assert {one["picture"] for one in batch["pictures"]} <= {r.image for r in scenes.records}
    for weight in load_model(tmp_path / "last.keras").get_weights():
        assert np.isfinite(weight).all()


def test_a_network_of_no_numbers_is_refused(tmp_path, scenes):
    model = ShallowDetection(scenes).build(TINY)
    weights = model.get_weights()
    weights[0][...] = np.nan
    model.set_weights(weights)
    model.save(tmp_path / "lost.keras")
    with pytest.raises(InputError, match="not finite"):
        load_model(tmp_path / "lost.keras")
