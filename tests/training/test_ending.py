"""What is said follows from the figures of the run, and from nothing else."""

import pytest

from yolov2_tf.training.ending import ending
from yolov2_tf.training.recipes import DetectionRecipe


def rows(*scores, losses=None, recall=None):
    """Rows as `history.csv` has them: text, empty where there was no score."""
    found = [
        {"epoch": str(n), "val_map": "" if score is None else str(score)}
        for n, score in enumerate(scores, 1)
    ]
    for row, loss in zip(found, losses or (), strict=bool(losses)):
        row["loss"] = str(loss)
    if recall is not None:
        found[-1]["recall"] = str(recall)
    return found


def advice(text):
    return [line for line in text.splitlines() if line.startswith("try ")]


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ((0.1, 0.3, None, 0.2), "best mAP 0.300 at epoch 2 of 4: mAP fell by 0.100 after it"),
        ((0.1, None, 0.3, None), "best mAP 0.300 at epoch 3 of 4: the last score was the best"),
        ((0.3, 0.3), "best mAP 0.300 at epoch 1 of 2: no gain"),
        ((0.2, 0.3, 0.295), "best mAP 0.300 at epoch 2 of 3: no gain"),
        ((None, 0.3), "best mAP 0.300 at epoch 2 of 2"),
    ],
)
def test_it_says_where_the_best_was_and_what_came_after(scores, words):
    assert ending(rows(*scores)).startswith(words)


def test_a_single_score_shows_no_trend():
    assert ":" not in ending(rows(None, 0.3))


def test_without_scores_it_says_nothing():
    assert ending(rows(None, None)) == ""
    assert ending([]) == ""
    assert ending([{"epoch": "1", "loss": "2.0"}]) == ""


def test_scores_that_still_rose_ask_for_more_epochs_or_minutes():
    risen = rows(0.1, 0.2, 0.3, 0.35, 0.4, 0.44)
    said = ending(risen)
    assert "0.090 above those of the first two thirds" in said
    assert advice(said) == [
        "try a longer training, as mAP still rose: yolov2 train --resume --epochs 12 --out …"
    ]
    [timed] = advice(ending(risen, DetectionRecipe(minutes=20)))
    assert "--resume --minutes 40 --out" in timed


def test_a_last_score_that_is_hardly_better_asks_for_nothing():
    said = ending(rows(0.1, 0.3, 0.3, 0.3, 0.301, 0.305))
    assert "0.005 above" in said
    assert advice(said) == []


@pytest.mark.parametrize(
    ("scores", "losses", "words"),
    [
        # Learnt by heart: mAP fell, the loss too.
        ((0.5, 0.6, 0.5), (4, 3, 2), "try more pictures, or more variety"),
        # Unstable: mAP fell, the loss rose.
        ((0.5, 0.6, 0.5), (4, 3, 5), "try a lower --learning-rate, as the loss rose too"),
        # Nothing that explains the fall.
        ((0.5, 0.6, 0.5), (4, 3, 3.02), None),
        # Level scores, whatever the loss did.
        ((0.5, 0.6, 0.598), (4, 3, 2), "try more pictures: the loss fell on, 3.00 to 2.00"),
        ((0.5, 0.6, 0.598), (4, 3, 3), "try yolov2 evaluate --report"),
        ((0.5, 0.6, 0.598), (4, 3, 4), None),
        # No losses, no reason.
        ((0.5, 0.6, 0.5), None, None),
        ((0.5, 0.6, 0.598), None, None),
    ],
)
def test_what_to_try_depends_on_scores_and_loss(scores, losses, words):
    found = advice(ending(rows(*scores, losses=losses)))
    assert len(found) == (words is not None)
    assert all(line.startswith(words) for line in found)


def test_the_loss_counts_from_the_best_epoch_on_also_where_it_was_not_scored():
    said = ending(rows(0.6, 0.5, None, losses=(4, 4, 2)))
    assert "the loss 4.00 to 2.00" in said


@pytest.mark.parametrize(("recall", "low"), [(0.31, True), (0.5, False), (0.9, False)])
def test_boxes_of_the_training_that_are_not_met_are_told(recall, low):
    said = ending(rows(0.5, 0.6, 0.6, recall=recall), DetectionRecipe(size=224))
    found = [line for line in advice(said) if "--size" in line]
    assert bool(found) == low
    if low:
        assert "larger --size than 224" in found[0]
        assert "31% are met" in found[0]
