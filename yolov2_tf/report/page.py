"""A page in one file: templates, and pictures inside them."""

import base64
import io
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from yolov2_tf._version import __version__
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

_TEMPLATES = Path(__file__).with_name("templates")


def render(template, **values):
    """Fills a template of this package.

    Args:
        template: Its file name, e.g. `"inspect.html"`.
        **values: What it shows.

    Returns:
        The page as text; what is not marked as safe is escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["count"] = lambda number: f"{number:,}"
    return environment.get_template(template).render(version=__version__, **values)


def percent(fraction, digits=1):
    """`0.345` to `"34.5"`; a dash where there is nothing to tell."""
    if fraction is None or not math.isfinite(fraction):
        return "–"
    return f"{100 * fraction:.{digits}f}"


def write_page(folder, page, **files):
    """Writes `index.html` and JSON files into a folder, each whole or not at all.

    Args:
        folder: Where; made if it is missing, other files in it stay.
        page: Text of the page.
        **files: Values of further JSON files, by name without suffix.

    Raises:
        InputError: If `folder` is a file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError("is a file", where=folder, expected="a folder for the report")
    for name, value in files.items():
        with replacing(folder / f"{name}.json") as path:
            path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    with replacing(folder / "index.html") as path:
        path.write_text(page, encoding="utf-8")


def data_uri(image, *, longest=320, quality=82):
    """A picture as text that stands in a page.

    Args:
        image: `(H, W, 3)` uint8.
        longest: Its longer side is made no longer than this.
        quality: JPEG's.

    Returns:
        `data:image/jpeg;base64,…`.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((longest, longest))
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()


def outlined(image, boxes, colors, *, longest=320, dashed=()):
    """A small copy of a picture with boxes drawn at the size at which they are seen.

    Args:
        image: `(H, W, 3)` uint8.
        boxes: `(n, 4)` as fractions.
        colors: `n` RGB triples.
        longest: Longer side of the copy in pixels.
        dashed: Indices of boxes to draw dashed.

    Returns:
        `(h, w, 3)` uint8.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    scale = longest / max(picture.size)
    size = [max(1, round(side * scale)) for side in picture.size]
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    for i, (box, color) in enumerate(zip(np.reshape(boxes, (-1, 4)), colors, strict=True)):
        y_min, x_min, y_max, x_max = np.clip(box, 0, 1) * [*size[::-1], *size[::-1]]
        corners = (x_min, y_min, max(x_max - 1, x_min), max(y_max - 1, y_min))
        color = tuple(int(c) for c in color)
        if i in dashed:
            _dashed(draw, corners, color)
        else:
            draw.rectangle([c + d for c, d in zip(corners, (-1, -1, 1, 1), strict=True)], None,
                           (16, 16, 20), 1)  # fmt: skip
            draw.rectangle(corners, outline=color, width=2)
    return np.asarray(picture)


def _dashed(draw, corners, color, dash=5):
    x_min, y_min, x_max, y_max = corners
    draw.rectangle(corners, outline=(16, 16, 20), width=2)
    for x in np.arange(x_min, x_max, 2 * dash):
        for y in (y_min, y_max):
            draw.line((x, y, min(x + dash, x_max), y), color, 2)
    for y in np.arange(y_min, y_max, 2 * dash):
        for x in (x_min, x_max):
            draw.line((x, y, x, min(y + dash, y_max)), color, 2)


def cropped(image, box, *, around=0.6, least=0.12):
    """The part of a picture around a box, and the function that moves boxes into it.

    Args:
        image: `(H, W, 3)` uint8.
        box: `(4,)` as fractions.
        around: How much to add on each side, of the box's longer side.
        least: Least side of the part, of the picture's.

    Returns:
        `(part, place)`; `place(boxes)` gives boxes `(n, 4)` as fractions of the part.
    """
    height, width = image.shape[:2]
    pixels = np.array([height, width, height, width])
    y_min, x_min, y_max, x_max = np.clip(box, 0, 1) * pixels
    side = max(y_max - y_min, x_max - x_min) * (1 + 2 * around)
    side = max(side, least * max(height, width), 8)
    y, x = (y_min + y_max) / 2, (x_min + x_max) / 2
    top, left = max(0, int(y - side / 2)), max(0, int(x - side / 2))
    bottom, right = min(height, int(np.ceil(y + side / 2))), min(width, int(np.ceil(x + side / 2)))
    corner = np.array([top, left, top, left])
    extent = np.array([bottom - top, right - left] * 2)
    return image[
        top:bottom, left:right
    ], lambda boxes: (np.reshape(boxes, (-1, 4)) * pixels - corner) / extent
