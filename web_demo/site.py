"""Puts the web page, LiteRT.js and models into one folder that any web server can serve.

LiteRT.js is fetched by npm, in the version that `package-lock.json` fixes.
"""

import gzip
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from yolov2_tf.data.digits.scenes import CLASS_NAMES as DIGITS
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.photos import portrait
from yolov2_tf.errors import InputError
from yolov2_tf.export.layout import read_layout
from yolov2_tf.files import replacing

HERE = Path(__file__).resolve().parent
PAGE = HERE / "page"
EXAMPLES = 4
# Of what the scenes of digits are made of, as scikit-learn has it.
CREDIT = (
    "In the examples: handwriting of the UCI repository (CC BY 4.0); photos by danielbuechele and "
    "vultilion on Flickr (CC BY 2.0), cut and dimmed."
)
PORTRAIT_CREDIT = "The example: Rear Admiral Grace Hopper; U.S. Navy, in the public domain."

# With threads, with ways to wait for the GPU, with neither, and without relaxed SIMD.
_WASM = ("_threaded", "_jspi", "", "_compat")


def build_site(models, folder):
    """Writes everything that the page needs.

    Args:
        models: Paths of `.tflite` files that `yolov2 export` wrote; the page starts with the first.
        folder: Where to write. What is there stays, but for files of the same names.

    Raises:
        InputError: If a model cannot be used, or LiteRT.js is not here and cannot be fetched.
    """
    models = [Path(model) for model in models]
    layouts = [read_layout(model) for model in models]
    litert = litert_folder()
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError("is no folder", where=folder, hint="another name")
    if not folder.exists():
        with replacing(folder) as built:
            _build(models, layouts, litert, built)
        return
    with tempfile.TemporaryDirectory() as room:
        built = Path(room) / "site"
        _build(models, layouts, litert, built)
        shutil.copytree(built, folder, dirs_exist_ok=True)


def _build(models, layouts, litert, folder):
    shutil.copytree(PAGE, folder)
    _copy_litert(litert, folder / "litert")
    content = [
        _add_model(folder, place, model, layout, name)
        for place, (model, layout, name) in enumerate(
            zip(models, layouts, _names(models), strict=True)
        )
    ]
    (folder / "content.json").write_text(json.dumps({"models": content}))


def litert_folder():
    """The folder of LiteRT.js's npm packages; they are fetched if they are not here yet.

    Raises:
        InputError: If they cannot be fetched.
    """
    beside = HERE / "node_modules" / "@litertjs"
    if beside.is_dir():
        return beside
    lock = json.loads((HERE / "package-lock.json").read_text())
    version = lock["packages"]["node_modules/@litertjs/core"]["version"]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    installed = cache / "yolov2_tf" / f"litertjs-{version}"
    if not installed.is_dir():
        with replacing(installed) as temporary:
            _fetch_litert(temporary)
    return installed / "node_modules" / "@litertjs"


def _fetch_litert(folder):
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            "LiteRT.js is not here yet, and npm, which fetches it, was not found",
            hint="install Node.js, which brings npm",
        )
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise InputError(
            f"npm could not fetch LiteRT.js: {' '.join(reasons[:2]) or done.stderr.strip()}",
            hint="check the connection to npm's registry",
        )


def _copy_litert(packages, folder):
    (folder / "wasm").mkdir(parents=True, exist_ok=True)
    for kind in _WASM:
        source = packages / "core" / "wasm" / f"litert_wasm{kind}_internal.js"
        shutil.copy(source, folder / "wasm")
        # A third of the size on any server: the page unpacks it.
        binary = source.with_suffix(".wasm")
        packed = gzip.compress(binary.read_bytes(), compresslevel=6, mtime=0)
        (folder / "wasm" / f"{binary.name}.gz").write_bytes(packed)
    shutil.copy(packages / "wasm-utils" / "dist" / "index.js", folder / "wasm-utils.js")
    core = (packages / "core" / "dist" / "index.js").read_text()
    # Browsers know packages by an import map, which workers do not get: a path takes its place.
    package = '"@litertjs/wasm-utils"'
    if core.count(package) != 1:
        raise AssertionError(f"LiteRT.js imports {package} in an unexpected way")
    (folder / "core.js").write_text(core.replace(package, '"./wasm-utils.js"'))


def _names(models):
    """What the page calls the models: the names of their files, or paths where those are equal."""
    stems = [model.stem for model in models]
    return [
        stem if stems.count(stem) == 1 else str(model.with_suffix(""))
        for stem, model in zip(stems, models, strict=True)
    ]


def _add_model(folder, place, model, layout, name):
    url = f"models/{place}/model.tflite"
    (folder / url).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(model, folder / url)
    examples, credit = _add_examples(folder, place, layout)
    return {"name": name, "url": url, "examples": examples, "credit": credit}


def _add_examples(folder, place, layout):
    """Pictures to try a model on, as URLs, and whom they are of.

    Those of digits are made here. For people there is the one photo that belongs to nobody.
    """
    if tuple(layout.class_names) == DIGITS:
        records = open_digits("test", size=448, count=EXAMPLES).records
        pictures, credit = [record.image() for record in records], CREDIT
    elif "person" in layout.class_names:
        photo = portrait()
        if photo is None:
            return [], ""
        pictures, credit = [photo.read_bytes()], PORTRAIT_CREDIT
    else:
        return [], ""
    urls = []
    for number, picture in enumerate(pictures):
        urls.append(f"models/{place}/example-{number}.jpg")
        (folder / urls[-1]).write_bytes(picture)
    return urls, credit
