import numpy as np
import pytest

from yolov2_tf.data.digits.backgrounds import ink_colour, random_background

BACKGROUNDS = 40


@pytest.fixture(scope="module")
def backgrounds():
    return [random_background(np.random.default_rng(seed), 96) for seed in range(BACKGROUNDS)]


def luminance(rgb):
    """Relative luminance by the exact sRGB curve."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_backgrounds_are_dim_pictures_of_their_own(backgrounds):
    for background in backgrounds:
        assert background.shape == (96, 96, 3)
        assert background.dtype == np.uint8
        assert luminance(background).mean() < 0.4
    assert len({background.tobytes() for background in backgrounds}) == BACKGROUNDS


def test_a_background_is_a_function_of_the_generator(backgrounds):
    again = random_background(np.random.default_rng(7), 96)
    np.testing.assert_array_equal(again, backgrounds[7])


def test_ink_stands_out_from_what_is_under_it(backgrounds):
    """WCAG asks for a contrast of 3 where the background is plain; ours may be a busy photo."""
    contrasts = []
    for seed, background in enumerate(backgrounds):
        rng = np.random.default_rng(seed)
        top, left = rng.integers(0, 48, 2)
        under = background[top : top + 48, left : left + 32]
        ink, paper = luminance(ink_colour(rng, under)), luminance(under).mean()
        assert ink > paper
        contrasts.append((ink + 0.05) / (paper + 0.05))
    assert np.median(contrasts) > 3
    assert np.min(contrasts) > 1.8
