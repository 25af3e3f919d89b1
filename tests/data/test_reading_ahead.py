"""Reading ahead gives the pictures that reading one by one gives, and stops where it is told."""

import io
import itertools
import threading

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.images import load_image
from yolov2_tf.data.reading_ahead import AHEAD, decoded_ahead
from yolov2_tf.errors import InputError


def png(number):
    encoded = io.BytesIO()
    Image.new("RGB", (number % 7 + 1, 3), (number % 256, 0, 9)).save(encoded, "PNG")
    return encoded.getvalue()


def test_gives_every_picture_in_order():
    sources = [png(number) for number in range(50)]
    pictures = list(decoded_ahead(sources))
    assert len(pictures) == 50
    for source, pixels in zip(sources, pictures, strict=True):
        np.testing.assert_array_equal(pixels, load_image(source))


def test_leaves_out_what_cannot_be_read():
    faults = {}
    sources = [png(0), b"no picture", png(2), b""]
    pictures = list(decoded_ahead(sources, faults.__setitem__))
    assert [pixels[0, 0, 0] for pixels in pictures] == [0, 2]
    assert list(faults) == [1, 3]
    assert all(isinstance(error, InputError) for error in faults.values())


def test_raises_without_a_place_for_faults():
    pictures = decoded_ahead([png(0), b"no picture", png(2)])
    next(pictures)
    with pytest.raises(InputError):
        next(pictures)


def test_reads_no_more_than_a_few_ahead():
    read = itertools.count()
    pictures = decoded_ahead(png(next(read)) for _ in itertools.count())
    for _ in range(3):
        next(pictures)
    assert next(read) <= AHEAD + 4
    before = threading.active_count()
    pictures.close()
    assert threading.active_count() <= before


def test_nothing_gives_nothing():
    assert list(decoded_ahead([])) == []
