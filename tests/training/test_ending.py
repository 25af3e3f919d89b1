import pytest

from yolov2_tf.training.ending import ending


def rows(*scores):
    """Rows as `history.csv` has them: text, empty where there was no score."""
    return [
        {"epoch": str(n), "val_map": "" if score is None else str(score)}
        for n, score in enumerate(scores, 1)
    ]


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ((0.1, 0.3, None, 0.2), "best mAP 0.300 at epoch 2 of 4: no gain"),
        ((0.1, None, 0.3, None), "best mAP 0.300 at epoch 3 of 4: the last score was the best"),
        ((0.3, 0.3), "best mAP 0.300 at epoch 1 of 2: no gain"),
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
