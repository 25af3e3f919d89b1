"""From pictures to classes: ranking as part of the model, prediction and evaluation."""

import keras

from yolov2_tf.classification.ranking import TOP, RankClasses
from yolov2_tf.detection.predict import prepare
from yolov2_tf.errors import InputError
from yolov2_tf.models.heads import find_classification_head
from yolov2_tf.models.loading import load_model


def load_classifier(path):
    """Loads a `.keras` file of a classifier.

    Raises:
        InputError: If there is no such file, or it holds no classifier.
    """
    model = load_model(path)
    try:
        find_classification_head(model)
    except ValueError as error:
        raise InputError(
            str(error), where=path, expected="a model of `yolov2 classify train`"
        ) from None
    return model


def classifier(model, top=TOP, threshold=0.5):
    """Appends the ranking of classes to a trained network.

    Args:
        model: Model with a `ClassificationHead`.
        top: k, how many classes to name.
        threshold: How probable a node of the tree must be for the descent to reach it.

    Returns:
        Functional `keras.Model` that shares the network's weights: images `(B, H, W, 3)` 0..255
        to what `RankClasses` gives.
    """
    rank = RankClasses(find_classification_head(model).hierarchy, top, threshold, name="rank")
    ranking = keras.Model(model.input, rank(model.output), name=f"{model.name}_classifier")
    ranking.supports_jit = False  # on a GPU XLA would compile anew for every input size
    return ranking


def classify(classifier, images, *, size=None):
    """Runs a classifier on a batch of pictures of any size.

    Args:
        classifier: Model made by `classifier(...)`.
        images: Sequence of `(H, W, 3)` uint8 RGB arrays; sizes may differ.
        size: Side of the input in pixels; None for the model's own.

    Returns:
        For each picture a dict of `labels` and `scores` `(k,)`, `node` and `probability`.
    """
    head = find_classification_head(classifier)
    inputs, _ = prepare(images, size or head.input_size, head.resize)
    outputs = classifier.predict_on_batch(inputs)
    return [{key: value[i] for key, value in outputs.items()} for i in range(len(images))]
