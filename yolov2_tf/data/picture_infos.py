"""What pictures are: each is looked at once, in parallel, and remembered until its file changes."""

import dataclasses
import functools
import itertools
import os
from concurrent.futures import ThreadPoolExecutor

from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.images import decode_image, inspect_image, load_image, read_bytes
from yolov2_tf.data.picture_column import StoredPicture
from yolov2_tf.data.picture_formats import decoders
from yolov2_tf.errors import InputError

_CHUNK = 64  # pictures a thread looks at, at a time


def look_at(images, *, decode, progress=None):
    """Looks at pictures; those that are remembered and did not change are not opened.

    Args:
        images: List of what `Record.image` is.
        decode: Whether their pixels are decoded, as training will; else their headers are read.
        progress: As for `yolov2_tf.data.image_check.check_images`; it sees those that are opened.

    Returns:
        List of the fields of `ImageInfo`, a sequence for each picture, or a text that says why it
        cannot be read.
    """
    of_files = functools.cache(stamp)  # many pictures may be in one
    files = [_file(image) for image in images]
    paths = [path for _, path in files]
    stamps = {path: of_files(file) for file, path in files if path is not None}
    del files
    known = _known(stamps, decode)
    unknown = [i for i, path in enumerate(paths) if path not in known]
    if not unknown:
        return [known[path] for path in paths]

    def look(start):
        return [_look(images[i], decode) for i in unknown[start : start + _CHUNK]]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        chunks = pool.map(look, range(0, len(unknown), _CHUNK))
        found = itertools.chain.from_iterable(chunks)
        found = list(progress(found, len(unknown)) if progress else found)
    fresh = dict(zip(unknown, found, strict=True))
    values = {path: fresh[i] for i in unknown if (path := paths[i]) is not None}
    remember(_kind(decode), stamps, values)
    return [fresh[i] if i in fresh else known[path] for i, path in enumerate(paths)]


def picture_sizes(pictures):
    """Sizes of upright pictures by their headers.

    Args:
        pictures: Iterable of paths.

    Returns:
        Dict from path to `(width, height)` in pixels, `(0, 0)` where it cannot be read.
    """
    pictures = list(dict.fromkeys(pictures))
    seen = look_at(pictures, decode=False)
    return {
        picture: (0, 0) if isinstance(info, str) else (info[0], info[1])
        for picture, info in zip(pictures, seen, strict=True)
    }


def _kind(decode):
    return f"{'pixels/2' if decode else 'header/1'} {decoders()}"


def _known(stamps, decode):
    """What is remembered; whoever decoded a picture has read its header, too."""
    known = recall(_kind(True), stamps) if stamps else {}
    if decode:
        return known
    known = {path: info for path, info in known.items() if not isinstance(info, str)}
    if len(known) < len(stamps):
        rest = {path: seen for path, seen in stamps.items() if path not in known}
        known.update(recall(_kind(False), rest))
    return known


def _file(image):
    """The file that a picture is in and the path that it is remembered by; None where none is."""
    if isinstance(image, StoredPicture):
        file, number = image.file
        return file, f"{file}/{number}"
    if not isinstance(image, str):
        return None, None
    path = image if os.path.isabs(image) else os.path.abspath(image)
    return path, path


def _look(image, decode):
    """Returns the fields of `ImageInfo`, or the reason why the picture cannot be read."""
    if image is None:
        return "picture not found"
    try:
        if not decode:
            return dataclasses.astuple(inspect_image(image))
        source = read_bytes(image)
        info = inspect_image(source)
        if info.needs_conversion or info.mode.startswith("I"):  # whose 16 bits only Pillow sees
            load_image(source)
        if not info.needs_conversion:
            _decode_as_training_does(source)
    except InputError as error:
        return error.what
    return dataclasses.astuple(info)


def _decode_as_training_does(encoded):
    import tensorflow as tf

    try:
        with tf.device("CPU"):
            _graph_decoder()(encoded)
    except tf.errors.InvalidArgumentError as error:
        raise InputError("damaged or truncated") from error


@functools.cache
def _graph_decoder():
    """The decoder as a graph: op by op, Python would be what takes the time, and one at a time."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    def decode(encoded):
        return tf.shape(decode_image(encoded))

    return decode
