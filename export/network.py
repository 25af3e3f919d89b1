"""The network as the exporters need it."""

import keras


def in_float32(model):
    """The model itself, or its copy that computes in float32 if it trained in mixed precision.

    bfloat16 speeds up training; phones and servers' CPUs have no use for it.
    """
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return model

    def float32_layer(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=float32_layer)
    copy.set_weights(model.get_weights())
    return copy
