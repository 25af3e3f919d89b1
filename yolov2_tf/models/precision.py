"""A trained network in the number format that a training wants."""

import keras

from yolov2_tf.models.detection_model import DetectionModel


def under_global_policy(model):
    """A copy of a detector whose layers compute under Keras' global dtype policy.

    A file says in which precision its network was trained; a training from it may want another.

    Args:
        model: `DetectionModel`; it is left as it is.

    Returns:
        `DetectionModel` with the same weights. Its head computes in float32 as ever.
    """

    def renewed(layer):
        config = layer.get_config()
        config.pop("dtype", None)
        return type(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=renewed)
    copy = DetectionModel(copy.input, copy.output, name=model.name)
    for layer, old in zip(copy.layers, model.layers, strict=True):
        layer.set_weights(old.get_weights())
    return copy
