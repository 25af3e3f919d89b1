import subprocess
import sys

import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.export.optional import import_optional

CONVERSION = """
import os, socket, sys

def refuse(*arguments, **options):
    raise SystemExit(f"asked for {arguments}")

socket.getaddrinfo = os.fork = refuse
from yolov2_tf.export.optional import import_optional

openvino = import_optional("openvino")
nncf = import_optional("nncf")
import numpy as np
import onnx

ends = [onnx.helper.make_tensor_value_info(name, 1, [1, 3, 8, 8]) for name in ("x", "y")]
kernel = onnx.numpy_helper.from_array(np.ones([3, 3, 1, 1], np.float32), "k")
convolution = onnx.helper.make_node("Conv", ["x", "k"], ["y"])
graph = onnx.helper.make_graph([convolution], "g", ends[:1], ends[1:], [kernel])
opset = onnx.helper.make_opsetid("", 18)
onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), sys.argv[1])
model = openvino.convert_model(sys.argv[1])
pictures = nncf.Dataset([np.ones([1, 3, 8, 8], np.float32)])
nncf.quantize(model, pictures, subset_size=1)
used = [name for name in sys.modules if name.startswith("openvino_telemetry.")]
assert not used, used
"""


def test_what_is_missing_is_named_with_how_to_get_it():
    with pytest.raises(InputError, match=r"no_such_package is not installed.*pip install"):
        import_optional("no_such_package")


def test_openvino_and_nncf_tell_nobody_what_they_convert(tmp_path):
    """It would be sent without having asked, at the end by a fork, which waited for ever once."""
    done = subprocess.run(
        [sys.executable, "-c", CONVERSION, str(tmp_path / "one.onnx")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
