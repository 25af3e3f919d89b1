"""Fixtures that every test may use."""

import os
from pathlib import Path

import hypothesis
import pytest

# As the command line does, before TensorFlow loads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ["YOLOV2_CACHE"] = ""  # tests leave nothing in the user's cache and find nothing there

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

LONGEST = (
    "training/test_devices.py",
    "training/test_detection.py",
    "training/test_damage.py",
    "training/test_classification.py",
    "export/test_onnx.py",
    "export/test_tree.py",
    "training/test_killed.py",
)
"""Files that take half a minute and more."""


TOGETHER = (
    (
        *("export/test_benchmark.py", "export/test_flatbuffer.py", "export/test_metadata.py"),
        *("export/test_quantization.py", "export/test_runtime.py", "export/test_tflite.py"),
    ),
    ("export/test_saved_model.py", "export/test_serving.py"),
    ("web/test_modules.py", "web/test_site.py"),
)
"""Files that share what takes long to prepare: of several processes, one runs them."""


def pytest_collection_modifyitems(items):
    """The longest files come first: of two processes that share out files none then waits long."""
    here = Path(__file__).parent
    longest = {here / name for name in LONGEST}
    items.sort(key=lambda item: item.path not in longest)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """As `--dist loadfile`, but that files of `TOGETHER` go to one process."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            name = file.removeprefix("tests/")
            return next((" ".join(files) for files in TOGETHER if name in files), file)

    return Together(config, log)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data beside the checkout, or a skip that says where it was looked for."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("YOLOV2_DATA", beside))
    if not folder.is_dir():
        pytest.skip("needs the real data: ../shared/data beside the checkout, or $YOLOV2_DATA")
    return folder


@pytest.fixture
def run(capsys):
    """Runs `yolov2 …`: `(exit code, stdout, stderr)`."""
    from command_line import call

    def run(*arguments):
        capsys.readouterr()  # what the test printed before is not the command's
        code = call(*arguments)
        return code, *capsys.readouterr()

    return run
