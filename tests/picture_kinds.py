"""One scene as every kind of picture that must be read, and pictures that must not be."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, ImageOps


def scene(height=36, width=52):
    """A smooth picture of random colours, so that JPEG hardly changes it."""
    coarse = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


SCENE = scene()
RGB = Image.fromarray(SCENE)
GRAY = np.asarray(RGB.convert("L"))
DEEP = GRAY.astype(np.uint16) * 256 + 77  # 16 bits
RGBA = Image.merge("RGBA", [*RGB.split(), Image.fromarray(GRAY)])
PALETTE = RGB.quantize(32)
BILEVEL = RGB.convert("1")


def encode(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def gray(values):
    return np.repeat(np.asarray(values)[..., None], 3, axis=2)


def without_adobe_marker(jpeg):
    start = jpeg.index(b"\xff\xee")
    (length,) = struct.unpack(">H", jpeg[start + 2 : start + 4])
    return jpeg[:start] + jpeg[start + 2 + length :]


def cv2_png(values):
    return cv2.imencode(".png", values)[1].tobytes()


CMYK_JPEG = encode(RGB.convert("CMYK"), "JPEG", quality=98)
BGR16 = SCENE[..., ::-1].astype(np.uint16) * 257
LOSSLESS = {  # name: (encoded, what it must look like)
    "png": (encode(RGB, "PNG"), SCENE),
    "png gray": (encode(Image.fromarray(GRAY), "PNG"), gray(GRAY)),
    "png gray+alpha": (encode(RGBA.convert("LA"), "PNG"), gray(GRAY)),
    "png alpha": (encode(RGBA, "PNG"), SCENE),
    "png palette": (encode(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB"))),
    "png palette, transparent": (
        encode(PALETTE, "PNG", transparency=3),
        np.asarray(PALETTE.convert("RGB")),
    ),
    "png 1 bit": (encode(BILEVEL, "PNG"), gray(np.asarray(BILEVEL) * np.uint8(255))),
    "png 16 bit gray": (encode(Image.fromarray(DEEP), "PNG"), gray(GRAY)),
    "png 16 bit": (cv2_png(BGR16), SCENE),
    "png 16 bit alpha": (cv2_png(np.dstack([BGR16, BGR16[..., 0]])), SCENE),
    "bmp": (encode(RGB, "BMP"), SCENE),
    "bmp gray": (encode(Image.fromarray(GRAY), "BMP"), gray(GRAY)),
    "bmp palette": (encode(PALETTE, "BMP"), np.asarray(PALETTE.convert("RGB"))),
    "bmp 1 bit": (encode(BILEVEL, "BMP"), gray(np.asarray(BILEVEL) * np.uint8(255))),
    "bmp alpha": (encode(RGBA, "BMP"), SCENE),
    "gif": (encode(PALETTE, "GIF"), np.asarray(PALETTE.convert("RGB"))),
    "gif transparent": (
        encode(PALETTE, "GIF", transparency=3),
        np.asarray(PALETTE.convert("RGB")),
    ),
    "gif animated": (
        encode(PALETTE, "GIF", save_all=True, append_images=[ImageOps.mirror(PALETTE)]),
        np.asarray(PALETTE.convert("RGB")),
    ),
    "webp": (encode(RGB, "WEBP", lossless=True), SCENE),
    "webp alpha": (encode(RGBA, "WEBP", lossless=True, exact=True), SCENE),
    "webp animated": (
        encode(RGB, "WEBP", lossless=True, save_all=True, append_images=[ImageOps.mirror(RGB)]),
        SCENE,
    ),
    "tiff": (encode(RGB, "TIFF"), SCENE),
    "tiff 16 bit": (encode(Image.fromarray(DEEP), "TIFF"), gray(GRAY)),
    "tiff 16 bit big-endian": (
        encode(Image.fromarray(DEEP.astype(">u2")), "TIFF"),
        gray(GRAY),
    ),
    "tiff cmyk": (encode(RGB.convert("CMYK"), "TIFF"), SCENE),
    "ppm": (encode(RGB, "PPM"), SCENE),
    "pgm 16 bit": (encode(Image.fromarray(DEEP), "PPM"), gray(GRAY)),
    "jpeg 2000": (encode(RGB, "JPEG2000"), SCENE),
}
LOSSY = {
    "jpeg": (encode(RGB, "JPEG", quality=95), SCENE),
    "jpeg 4:2:0": (encode(RGB, "JPEG", quality=95, subsampling=2), SCENE),
    "jpeg progressive": (encode(RGB, "JPEG", quality=95, progressive=True), SCENE),
    "jpeg gray": (encode(Image.fromarray(GRAY), "JPEG", quality=95), gray(GRAY)),
    "jpeg rgb": (encode(RGB, "JPEG", quality=95, keep_rgb=True), SCENE),
    "jpeg cmyk": (CMYK_JPEG, SCENE),
    "jpeg cmyk without Adobe's marker": (without_adobe_marker(CMYK_JPEG), SCENE),
    "mpo": (
        encode(RGB, "MPO", quality=95, save_all=True, append_images=[ImageOps.mirror(RGB)]),
        SCENE,
    ),
    "webp lossy": (encode(RGB, "WEBP", quality=98), SCENE),
}
KINDS = LOSSLESS | LOSSY


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        + png_chunk(b"IEND", b"")
    )
