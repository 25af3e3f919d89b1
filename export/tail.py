"""How much of a `.tflite` file's time goes into what follows the network: decoding, suppression."""

import time

import numpy as np

from yolov2_tf.detection.thresholds import SCORE
from yolov2_tf.export.flatbuffer import convolutions, operator_name, pack, replace_constant, unpack
from yolov2_tf.export.runtime import load_interpreter


def tail_share(path, pictures, *, threads=2, score_threshold=SCORE):
    """Times a file with suppression against the same file cut off behind the head.

    Args:
        path: The `.tflite` file.
        pictures: `(S, S, 3)` pictures of the input's size, values 0..255. The two take turns with
            each, so that whatever else the machine does meets both.
        threads: How many threads they may use.
        score_threshold: What suppression drops, in place of the file's own threshold.

    Returns:
        The share, 0..1, that decoding and suppression have in the file's median time.
    """
    with open(path, "rb") as file:
        content = bytearray(file.read())
    whole, network = unpack(content), unpack(content)
    for op in whole.subgraphs[0].operators:
        if operator_name(whole, op) == "NON_MAX_SUPPRESSION_V4":
            replace_constant(whole, op, 4, np.float32(score_threshold))
    cut_behind_head(network)
    runners = [_runner(pack(model), threads) for model in (whole, network)]
    taken = [[runner(picture) for runner in runners] for picture in [pictures[0], *pictures]]
    total, without = np.median(taken[1:], axis=0)  # the first one warms up
    return max(0.0, 1 - without / total)


def cut_behind_head(model):
    """Makes the raw head tensor the only output of an unpacked file, in place."""
    graph = model.subgraphs[0]
    head = convolutions(model)[-1]
    graph.operators = graph.operators[: graph.operators.index(head) + 1]
    graph.outputs = list(head.outputs)
    model.signatureDefs = []


def _runner(content, threads):
    """A function from a picture to the seconds that it takes."""
    Interpreter, _ = load_interpreter()
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    (image,) = interpreter.get_input_details()

    def run(picture):
        interpreter.set_tensor(image["index"], np.rint(picture)[None].astype(image["dtype"]))
        start = time.perf_counter()
        interpreter.invoke()
        return time.perf_counter() - start

    return run
