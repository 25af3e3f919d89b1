"""Which values the tensors of a network take on real pictures, and which range int8 shall cover."""

import dataclasses
import warnings

import numpy as np
from ai_edge_litert.interpreter import Interpreter

SAMPLES_PER_PICTURE = 2000
BINS = 2048
# Fractions of the extreme values that are tried as the ends of the range.
_FRACTIONS = np.linspace(0.1, 1.0, 19)


@dataclasses.dataclass(frozen=True)
class Statistics:
    """What was seen of one tensor.

    Attributes:
        samples: `(n,)` float32 values at random places, with the extreme values of all.
        means: `(C,)` mean of each channel, the last dimension.
    """

    samples: np.ndarray
    means: np.ndarray


def observe(content, tensors, pictures):
    """Runs a float network on pictures and looks at some of its tensors.

    Args:
        content: Bytes of the `.tflite` file.
        tensors: Indices of the tensors.
        pictures: Iterable of `(S, S, 3)` pictures, values 0..255.

    Returns:
        Dict from index to `Statistics`.
    """
    interpreter = inspecting_interpreter(content)
    (image,) = interpreter.get_input_details()
    batch = image["shape"][0]
    random = np.random.default_rng(0)
    samples = {index: [] for index in tensors}
    means = {index: [] for index in tensors}
    for picture in pictures:
        interpreter.set_tensor(image["index"], np.stack([np.float32(picture)] * batch))
        interpreter.invoke()
        for index in tensors:
            values = interpreter.get_tensor(index)
            drawn = random.integers(0, values.size, SAMPLES_PER_PICTURE)
            samples[index] += [values.ravel()[drawn], [values.min(), values.max()]]
            means[index].append(values.mean(axis=tuple(range(values.ndim - 1))))
    return {
        index: Statistics(np.concatenate(samples[index]), np.mean(means[index], axis=0))
        for index in tensors
    }


def inspecting_interpreter(content):
    """A LiteRT interpreter, ready to run, that keeps every tensor for `get_tensor`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says that this costs memory
        interpreter = Interpreter(model_content=content, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    return interpreter


def best_range(samples, activation=None):
    """The range for which 256 steps change the values least, in the mean of squares.

    Values beyond the range are clipped. The extremes of a few pictures would make the steps of
    all values coarser.

    Args:
        samples: `(n,)` values.
        activation: The function that follows, where only its result matters: behind a leaky ReLU
            an error in a negative value counts a tenth.

    Returns:
        `(low, high)` with low ≤ 0 ≤ high.
    """
    counts, edges = np.histogram(samples, BINS)
    values = ((edges[:-1] + edges[1:]) / 2)[counts > 0]
    counts = counts[counts > 0]
    low, high = (
        ends.ravel()
        for ends in np.meshgrid(
            _FRACTIONS * min(samples.min(), 0.0), _FRACTIONS * max(samples.max(), 0.0)
        )
    )
    activation = activation or (lambda x: x)
    error = activation(_rounded(values, low[:, None], high[:, None])) - activation(values)
    best = np.argmin((error**2) @ counts)
    return float(low[best]), float(high[best])


def _rounded(values, low, high):
    step = np.maximum((high - low) / 255, np.finfo(np.float32).tiny)
    zero = np.rint(-low / step)
    return (np.clip(np.rint(values / step) + zero, 0, 255) - zero) * step
