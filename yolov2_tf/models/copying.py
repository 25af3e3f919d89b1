"""Copies of a trained network that differ in the configuration of their layers."""

import keras

from yolov2_tf.models.detection_model import DetectionModel


def all_layers(model):
    """Yields the layers of a network, and in place of a network within it its layers."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)
        else:
            yield layer


def copied(model, change):
    """A network of the same layers, with weights of its own that are as at a start.

    Args:
        model: Keras model with the layers of this package; it is left as it is.
        change: Function from a layer and its configuration, a dict, to that of the copy.

    Returns:
        Keras model; of a `DetectionModel` another one.
    """

    def renewed(layer):
        return type(layer).from_config(change(layer, layer.get_config()))

    copy = keras.models.clone_model(model, clone_function=renewed, recursive=True)
    if isinstance(model, DetectionModel):
        copy = DetectionModel(copy.input, copy.output, name=model.name)
    return copy


def reconfigured(model, change):
    """The same, with the same weights: what changes must not touch their shapes."""
    copy = copied(model, change)
    for layer, old in zip(copy.layers, model.layers, strict=True):
        give_weights(layer, old.get_weights())
    return copy


def give_weights(layer, weights):
    """Sets the weights of a layer, or of a network, with all that is computed from them.

    `Normalization` subtracts numbers that it makes of its weights when it adapts or is loaded;
    `set_weights` alone leaves them as they were.
    """
    layer.set_weights(weights)
    for inner in all_layers(layer) if isinstance(layer, keras.Model) else [layer]:
        if hasattr(inner, "finalize_state"):
            inner.finalize_state()


def under_global_policy(model):
    """A copy of a detector whose layers compute under Keras' global dtype policy.

    A file says in which precision its network was trained; a training from it may want another.

    Args:
        model: `DetectionModel`; it is left as it is.

    Returns:
        `DetectionModel` with the same weights. Its head computes in float32 as ever.
    """
    return reconfigured(model, lambda _, config: {k: v for k, v in config.items() if k != "dtype"})
