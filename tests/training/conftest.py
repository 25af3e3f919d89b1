"""What short trainings can do without."""

import pytest

from yolov2_tf.training import callbacks


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Histories are not drawn, which takes as long as training so little; runs of a module are."""
    monkeypatch.setattr(callbacks, "plot_history", lambda _, path: path.touch())
