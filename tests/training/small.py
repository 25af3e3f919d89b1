"""A small detection training on scenes of digits, and one that a power cut stopped."""

import shutil

import keras

from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.training.run import Run
from yolov2_tf.trees.wordtree import WordTree

SMALL = DetectionRecipe(
    model="tiny", width=0.125, size=64, epochs=2, batch_size=4, learning_rate=1e-3, anchors=2
)

DIGITS = WordTree(["digit", *"0123456789"], [-1, *[0] * 10])


def train_and_copy(task, recipe, folder, copy):
    """Trains in `folder`; `copy` is what a power cut would have left when the second epoch began.

    Returns:
        The rows of the whole run.
    """

    def cut(epoch, logs):
        if epoch == 1:
            shutil.copytree(folder, copy)

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=cut)
    rows = train(task, recipe, folder, callbacks=[callback])
    assert len(Run(copy).rows()) == 1
    return rows
