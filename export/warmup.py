"""Requests by which TensorFlow Serving warms a model up before it takes the first real one.

The file is a TFRecord of `tensorflow_serving.PredictionLog` messages. They are written field by
field, because the package that defines them pins its own TensorFlow.
Source: tensorflow_serving/apis/{prediction_log,predict,model}.proto.
"""

import tensorflow as tf

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"

# Field numbers.
_LOG_PREDICT = 6  # PredictionLog.predict_log
_PREDICT_REQUEST = 1  # PredictLog.request
_REQUEST_SPEC, _REQUEST_INPUTS = 1, 2  # PredictRequest.model_spec, .inputs
_SPEC_NAME, _SPEC_SIGNATURE = 1, 3  # ModelSpec.name, .signature_name
_KEY, _VALUE = 1, 2  # of an entry of a map


def write_warmup(path, model_name, requests):
    """Adds warm-up requests to a SavedModel.

    Args:
        path: The SavedModel's folder, a `pathlib.Path`.
        model_name: The name the server will give the model.
        requests: Dict from the names of signatures to dicts of their inputs.
    """
    file = path / WARMUP_FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, inputs in requests.items():
            writer.write(prediction_log(model_name, signature, inputs))


def prediction_log(model_name, signature, inputs):
    """A serialised `PredictionLog` with one request.

    Args:
        model_name: Name of the model.
        signature: Name of its signature.
        inputs: Dict of tensors.
    """
    spec = _field(_SPEC_NAME, model_name.encode()) + _field(_SPEC_SIGNATURE, signature.encode())
    request = _field(_REQUEST_SPEC, spec)
    for name, tensor in inputs.items():
        value = tf.make_tensor_proto(tensor).SerializeToString()
        request += _field(_REQUEST_INPUTS, _field(_KEY, name.encode()) + _field(_VALUE, value))
    return _field(_LOG_PREDICT, _field(_PREDICT_REQUEST, request))


def _field(number, content):
    """A length-delimited field of the protobuf wire format."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
