"""Names of classes as a plot can hold them."""

import pytest

from yolov2_tf.drawing.plot_text import plain


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dog", "dog"),
        ("_hidden", " _hidden"),
        ("$5 or $10", r"\$5 or \$10"),
        ("a\tb\nc", "a?b?c"),
        ("n01440764 tench, Tinca tinca, and more", "n01440764 tench, Tinca tinc…"),
        ("$" * 40, r"\$" * 27 + "…"),
    ],
)
def test_names(name, shown):
    assert plain(name) == shown
