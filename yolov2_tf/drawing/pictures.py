"""Pictures with boxes drawn on them, and sheets of such pictures."""

import functools
import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, PAPER = (16, 16, 20), (255, 255, 255)


def class_colors(labels):
    """One colour for each class, the same in every picture and plot.

    Args:
        labels: `(n,)` int, 0 or more. The first classes look most different from each other; from
            256 on the colours repeat.

    Returns:
        `(n, 3)` uint8 RGB, none close to black, white or grey.
    """
    palette = _palette()
    return palette[np.asarray(labels, int) % len(palette)]


@functools.cache
def _palette(size=256):
    """Starts with a warm red and always adds the colour farthest from those it has."""
    step = np.arange(0, 256, 15)
    rgb = np.stack(np.meshgrid(step, step, step), axis=-1).reshape(-1, 3)
    lab = _oklab(rgb)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    vivid = (lab[:, 0] > 0.5) & (lab[:, 0] < 0.88) & (chroma > 0.1) & (chroma < 0.26)
    rgb, lab = rgb[vivid], lab[vivid]
    chosen = [int(np.argmin(np.abs(rgb - (255, 60, 60)).sum(axis=1)))]
    distance = np.full(len(lab), np.inf)
    while len(chosen) < size:
        distance = np.minimum(distance, ((lab - lab[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(distance.argmax()))
    return rgb[chosen].astype(np.uint8)


def _oklab(rgb):
    """Colours in sRGB 0..255 to OKLab, in which distances are what people see (Ottosson, 2020)."""
    value = rgb / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(
        linear
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return cones @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


def draw_detections(image, boxes, labels, scores=None, class_names=None, *, truth_boxes=None):
    """Draws boxes with their names on a copy of a picture.

    Line width and text size follow the picture's size; a name that is too long for the picture is
    cut. Better scores are drawn over worse ones, all names over all boxes.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        boxes: `(n, 4)` `[y_min, x_min, y_max, x_max]` as fractions of the image.
        labels: `(n,)` int; -1 is padding and not drawn.
        scores: `(n,)` in 0..1, written beside the name in percent, on black.
        class_names: Names that the labels index; without them the labels are written.
        truth_boxes: `(m, 4)` true boxes, drawn as thin dashed white lines.

    Returns:
        `(H, W, 3)` uint8.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(picture)
    scale = (picture.width * picture.height) ** 0.5
    line = max(2, round(scale / 200))

    if truth_boxes is not None:
        for box in _pixels(truth_boxes, picture.size):
            _draw_dashed(draw, box, line)

    boxes, labels = np.reshape(boxes, (-1, 4)), np.reshape(labels, -1)
    order = np.arange(len(labels)) if scores is None else np.argsort(scores, kind="stable")
    order = [i for i in order if labels[i] >= 0 and np.isfinite(boxes[i]).all()]
    corners = _pixels(boxes[order], picture.size)
    colors = [tuple(color) for color in class_colors(labels[order]).tolist()]
    for box, color in zip(corners, colors, strict=True):
        draw.rectangle(box, outline=color, width=line)

    names = [str(labels[i]) if class_names is None else class_names[labels[i]] for i in order]
    names = [_printable(name) for name in names]
    percents = ["" if scores is None else f"{100 * float(scores[i]):.0f} %" for i in order]
    taken = []
    # The best first: it gets the best place.
    for *text, box, color in reversed(list(zip(names, percents, corners, colors, strict=True))):
        font, *text = _fitted(*text, max(11, round(scale / 36)), picture.size)
        if any(text):
            taken.append(_draw_tag(draw, text, box, color, font, picture.size, taken))
    return np.asarray(picture)


def _pixels(boxes, size):
    """Boxes as `(x_min, y_min, x_max, y_max)` of pixels inside a picture of `(width, height)`."""
    boxes = np.clip(np.reshape(boxes, (-1, 4)), 0, 1)[:, [1, 0, 3, 2]]
    first = np.floor(boxes[:, :2] * size)
    last = np.maximum(np.ceil(boxes[:, 2:] * size) - 1, first)
    limit = np.array(size) - 1
    return [
        tuple(map(int, row))
        for row in np.minimum(np.concatenate([first, last], 1), [*limit, *limit])
    ]


def _draw_dashed(draw, box, line):
    """White dashes on a dark line: seen on bright and on dark pictures."""
    x_min, y_min, x_max, y_max = box
    draw.rectangle(box, outline=INK, width=max(1, line // 2))
    dash, width = 4 * line, max(1, line // 2)
    for x in range(x_min, x_max, 2 * dash):
        for y in (y_min, y_max - width + 1):
            draw.rectangle((x, y, min(x + dash, x_max), y + width - 1), fill=PAPER)
    for y in range(y_min, y_max, 2 * dash):
        for x in (x_min, x_max - width + 1):
            draw.rectangle((x, y, x + width - 1, min(y + dash, y_max)), fill=PAPER)


def _fitted(name, percent, size, picture_size, least=8):
    """A font and texts that fit into the picture: smaller ones, then shorter ones, then none.

    Returns:
        `(font, name, percent)`; a text that has no place is empty.
    """
    width, height = picture_size
    for side in range(size, least - 1, -1):
        font = _font(side, name)
        if sum(_tag_size(font, name, percent)[0]) <= width:
            break
    if _tag_size(font, name, percent)[1] > height:
        return font, "", ""
    if _tag_size(font, "", percent)[0][1] + _tag_size(font, "…", "")[0][0] > width:
        percent = ""
    room = width - _tag_size(font, "", percent)[0][1]
    if _tag_size(font, name, "")[0][0] > room:
        kept = len(name)
        while kept and _tag_size(font, f"{name[:kept]}…", "")[0][0] > room:
            kept -= 1
        name = f"{name[:kept]}…" if kept else ""
    return font, name, percent


def _tag_size(font, name, percent):
    """`((width of the name's part, width of the score's part), height)` in pixels."""
    pad = max(2, round(font.size / 6))
    ascent, descent = font.getmetrics()
    widths = [round(font.getlength(text)) + 2 * pad if text else 0 for text in (name, percent)]
    return widths, ascent + descent + pad


def _draw_tag(draw, text, box, color, font, size, taken):
    """Writes a tag where it covers no other one, if there is a place.

    The name stands on the colour of its class, the score beside it on black: they cannot be read
    as one, whatever the name.

    Returns:
        `(x_min, y_min, x_max, y_max)` of the tag, inside the picture.
    """
    (width, rest), height = _tag_size(font, *text)
    x_min, y_min, x_max, y_max = box
    right = x_max - width - rest + 1
    places = [
        _inside(x, y, width + rest, height, size)
        for x, y in (
            (x_min, y_min - height + 1),  # above the box
            (x_min, y_min),  # in its top
            (right, y_min - height + 1),
            (x_min, y_max),  # below it
            (right, y_max),
            (right, y_min),
        )
    ]
    place = min(places, key=lambda p: sum(_shared(p, other) for other in taken))
    dark = _oklab(np.array(color))[0] > 0.62
    left, pad = place[0], max(2, round(font.size / 6))
    for part, wide, paper, ink in zip(
        text, (width, rest), (color, INK), (INK if dark else PAPER, PAPER), strict=True
    ):
        if wide:
            draw.rectangle((left, place[1], left + wide - 1, place[3]), fill=paper)
            draw.text((left + pad, place[1] + pad // 2), part, fill=ink, font=font)
        left += wide
    return place


def _inside(x, y, width, height, size):
    x = max(0, min(x, size[0] - width))
    y = max(0, min(y, size[1] - height))
    return x, y, min(x + width, size[0]) - 1, min(y + height, size[1]) - 1


def _shared(a, b):
    """Number of pixels that two rectangles share."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    return max(width, 0) * max(height, 0)


def _printable(text):
    """Line breaks, control characters and lone surrogates, which no font can draw, as `?`."""
    return "".join(c if c.isprintable() else "?" for c in text)


@functools.lru_cache(maxsize=256)
def _font(size, text):
    """Pillow's own font, which has ASCII alone, or for other texts the one that Matplotlib has."""
    matplotlib = None if text.isascii() else importlib.util.find_spec("matplotlib")
    if matplotlib is not None:
        file = Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if file.is_file():
            return ImageFont.truetype(file, size)
    return ImageFont.load_default(size)


def contact_sheet(images, columns=4, *, tile=320, gap=8, background=PAPER):
    """Pictures of any sizes side by side.

    Args:
        images: Sequence of `(H, W, 3)` uint8 arrays, at least one.
        columns: Number of pictures in a row.
        tile: Longer side in pixels that each picture is resized to.
        gap: Pixels between and around the pictures.
        background: RGB of the rest.

    Returns:
        `(H, W, 3)` uint8; rows are as high as their highest picture.
    """
    pictures = [_fit(image, tile) for image in images]
    columns = min(columns, len(pictures))
    rows = [pictures[i : i + columns] for i in range(0, len(pictures), columns)]
    heights = [max(picture.height for picture in row) for row in rows]
    size = columns * (tile + gap) + gap, sum(heights) + gap * (len(rows) + 1)
    sheet = Image.new("RGB", size, background)
    top = gap
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            left = gap + column * (tile + gap) + (tile - picture.width) // 2
            sheet.paste(picture, (left, top + (height - picture.height) // 2))
        top += height + gap
    return np.asarray(sheet)


def _fit(image, side):
    picture = Image.fromarray(np.ascontiguousarray(image))
    scale = side / max(picture.size)
    size = [max(1, round(length * scale)) for length in picture.size]
    return picture.resize(size, Image.Resampling.LANCZOS)
