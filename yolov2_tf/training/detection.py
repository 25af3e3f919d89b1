"""What is special about the training of a detector (paper, section 2, "Training")."""

import dataclasses
from typing import ClassVar

import keras
import numpy as np

from yolov2_tf.data.dataset import box_shapes
from yolov2_tf.data.labelled_images import ClassificationDataset
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.stream_order import pictures_of, views_ratio
from yolov2_tf.detection.distillation import Teacher
from yolov2_tf.detection.loss import WARMUP_IMAGES, YOLOv2Loss
from yolov2_tf.errors import InputError
from yolov2_tf.models.anchors import cluster, to_cells
from yolov2_tf.models.copying import under_global_policy
from yolov2_tf.models.transfer import layers_of_head, same_classes, with_new_head
from yolov2_tf.models.yolov2 import YOLO9000, TinyYOLOv2, YOLOv2
from yolov2_tf.schedules import detection_schedule
from yolov2_tf.training.callbacks import MeanAveragePrecision
from yolov2_tf.training.class_weights import balanced, classes_with_boxes
from yolov2_tf.training.progress import DETECTION_FIGURES
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.training.task import Task, batches_of, name_and_size
from yolov2_tf.zoo.names import load_model, read_head

BUILDERS = {"yolov2": YOLOv2, "tiny": TinyYOLOv2, "yolo9000": YOLO9000}

SQUEEZE = {"squeezed": 64, "full": None, "none": 0}
"""`YOLOv2`'s `squeeze` for each `passthrough` of a recipe."""


@dataclasses.dataclass(frozen=True)
class DetectionTask(Task):
    """To find boxes, as the `Dataset`s `dataset` and `validation` have them.

    Attributes:
        classification: `ClassificationDataset` of the same classes whose images were checked, for
            joint training, or None. An epoch is a pass over `dataset`, whatever is mixed in.
    """

    classification: ClassificationDataset | None = None

    NAME = "detection"
    RECIPE = DetectionRecipe
    SCORE = "val_map"
    FIGURES: ClassVar = DETECTION_FIGURES

    @property
    def samples(self):
        """The pictures that TensorBoard shows are those that are scored."""
        return self.validation

    @property
    def shapes(self):
        """The anchors are for the boxes that are learnt."""
        return box_shapes(self.dataset)

    def check(self, recipe):
        super().check(recipe)
        if not self.dataset.num_boxes:
            raise InputError("no boxes to train on", where=self.dataset.name)
        labelled = self.classification
        if labelled is not None and self.dataset.class_names != labelled.class_names:
            raise InputError(
                f"its {len(labelled.class_names):,} classes are not the "
                f"{len(self.dataset.class_names):,} of {self.dataset.name}",
                where=labelled.name,
                hint="map both onto the nodes of one tree",
            )

    def facts(self):
        facts = super().facts()
        facts["data"]["boxes"] = self.dataset.num_boxes
        facts["classification"] = name_and_size(self.classification)
        return facts

    def steps(self, recipe):
        views = len(self.dataset) * recipe.passes
        if self.classification is not None:
            ratio = views_ratio(recipe.ratio, recipe.mosaic)
            views *= sum(ratio) / ratio[0]
        return batches_of(views, recipe)

    def build(self, recipe):
        """A network for the classes of the data set: a new one, or that of a file.

        A new one has anchors that are clustered on the boxes of the data set.

        Args:
            recipe: `DetectionRecipe`.

        Returns:
            `DetectionModel`.

        Raises:
            InputError: If the data set has fewer distinct box shapes than anchors are wanted.
        """
        keras.utils.set_random_seed(recipe.seed)
        keras.mixed_precision.set_global_policy(recipe.precision)
        if recipe.continues:
            return self._network_of_file(recipe)
        if recipe.teacher is not None:
            return self._new_network(recipe, read_head(recipe.teacher).anchors)
        shapes = box_shapes(self.dataset)
        distinct = len(np.unique(shapes, axis=0))
        if distinct < recipe.anchors:
            raise InputError(
                f"{distinct} distinct box shapes",
                where=self.dataset.name,
                expected=f"at least {recipe.anchors}, one for each anchor",
                hint="fewer --anchors, or more annotated images",
            )
        centers, _ = cluster(shapes, recipe.anchors, seed=recipe.seed)
        return self._new_network(recipe, to_cells(centers, recipe.size))

    def _new_network(self, recipe, anchors):
        options = {"squeeze": SQUEEZE[recipe.passthrough]} if recipe.model == "yolov2" else {}
        return BUILDERS[recipe.model](
            self.dataset.class_names,
            anchors=anchors,
            input_size=recipe.size,
            resize=recipe.resizing,
            width=recipe.width,
            tree=self.tree,
            tree_logits=recipe.tree_logits,
            weight_decay=recipe.weight_decay,
            **options,
        )

    def _network_of_file(self, recipe):
        """The network of a file with a head for the classes at hand; its anchors stay."""
        trained = under_global_policy(load_model(recipe.model))
        old = trained.head
        model = with_new_head(
            trained,
            class_names=self.dataset.class_names,
            tree=self.tree,
            input_size=recipe.size,
            resize=recipe.resizing,
        )
        if same_classes(old, model.head):
            model.head.set_weights(old.get_weights())
        # A file keeps what was frozen when it was saved, and that run is over.
        learning = layers_of_head(model) if recipe.freeze else model.layers
        for layer in model.layers:
            layer.trainable = layer in learning
        return model

    def schedule(self, recipe, plan):
        return detection_schedule(
            recipe.schedule, recipe.learning_rate, plan.total_steps, recipe.accumulate
        )

    def compile(self, model, recipe, plan, optimizer):
        options = {}
        if recipe.balance:
            options["class_weights"] = balanced(self.dataset, self.classification, recipe.ratio)
        if recipe.spare:
            options["box_classes"] = classes_with_boxes(self.dataset, self.tree)
        loss = YOLOv2Loss(
            model.head.anchors,
            tree=model.head.tree,
            image_rule=recipe.image_rule,
            warmup_images=_warmup_images(recipe, plan),
            **options,
        )
        model.compile(optimizer, loss=loss)

    def go_on(self, model, plan):
        """Warm-up that is over stays so: its end is told in steps, which may have been longer."""
        if plan.start.images >= model.loss.warmup_images:
            model.loss.warmup_images = 0

    def teach(self, model, recipe):
        if recipe.teacher is not None:
            keras.mixed_precision.set_global_policy(recipe.precision)
            model.learn_from(Teacher(under_global_policy(load_model(recipe.teacher))))

    def batches(self, recipe, plan, **feed):
        return training_batches(
            self.dataset,
            classification=self.classification,
            ratio=recipe.ratio,
            mosaic=recipe.mosaic,
            box_mosaic=recipe.box_mosaic,
            batch_size=recipe.batch_size,
            size=recipe.size,
            multi_scale=recipe.multi_scale,
            resize_every=recipe.resize_every * recipe.accumulate,
            resize=recipe.resizing,
            jitter=recipe.jitter,
            flip=recipe.flip,
            saturation=recipe.saturation,
            exposure=recipe.exposure,
            seed=recipe.seed,
            first_step=plan.first_batch,
            **feed,
        )

    @property
    def kinds(self):
        labelled = () if self.classification is None else (self.classification.records,)
        return self.dataset.records, *labelled

    def pictures_of(self, recipe, places):
        counts = [len(records) for records in self.kinds]
        ratio = None if self.classification is None else recipe.ratio
        return pictures_of(
            places,
            *counts,
            ratio=ratio,
            mosaic=recipe.mosaic,
            box_mosaic=recipe.box_mosaic,
            seed=recipe.seed,
        )

    def scorer(self, every, left_out=None):
        return MeanAveragePrecision(self.validation, every=every, left_out=left_out)


def _warmup_images(recipe, plan):
    """For how many images unmatched predictions are pulled to their priors.

    Darknet's 12,800 are 1 % of its training on VOC, but half of one on a few hundred pictures:
    there a twentieth is enough, or an epoch where nobody knows how many there will be. A network
    that goes on training knows its shapes already.
    """
    if recipe.continues:
        return 0
    if recipe.minutes is not None:
        return min(WARMUP_IMAGES, plan.steps * plan.batch_size)
    return min(WARMUP_IMAGES, plan.total_steps * plan.batch_size // 20)
