import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.data.stream_order import mixed_place, multi_scale_size, shuffled_index, views_ratio


def test_every_epoch_sees_every_picture_once_in_another_order():
    orders = [[int(shuffled_index(10 * epoch + i, 10, 0)) for i in range(10)] for epoch in range(3)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


def test_sizes_are_drawn_from_the_range_and_change_only_when_due():
    sizes = [int(multi_scale_size(step, (320, 608), 10, seed=7)) for step in range(400)]
    assert set(sizes) <= set(range(320, 609, 32))
    assert len(set(sizes)) > 6
    assert all(len(set(sizes[i : i + 10])) == 1 for i in range(0, 400, 10))


@pytest.mark.parametrize("ratio", [(4, 1), (1, 1), (2, 3), (1, 5)])
def test_pictures_with_boxes_and_with_a_label_take_even_turns(ratio):
    count = 10 * sum(ratio)
    places = [mixed_place(tf.constant(place, tf.int64), ratio) for place in range(count)]
    is_labelled = np.array([bool(labelled) for labelled, _ in places])
    for own, share in ((False, ratio[0]), (True, ratio[1])):
        numbers = [int(number) for labelled, number in places if bool(labelled) == own]
        assert numbers == list(range(10 * share))
    window = np.convolve(is_labelled, np.ones(sum(ratio)), "valid")
    assert (window == ratio[1]).all()


@pytest.mark.parametrize(
    ("ratio", "mosaic", "views"),
    [((1, 4), 0.0, (1, 4)), ((1, 4), 1.0, (1, 1)), ((1, 4), 0.8, (17, 20)), ((3, 2), 0.5, (15, 4))],
)
def test_views_of_four_pictures_are_fewer(ratio, mosaic, views):
    assert views_ratio(ratio, mosaic) == views
