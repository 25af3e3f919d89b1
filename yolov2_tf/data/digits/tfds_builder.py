"""The embedded digits as a TensorFlow Datasets builder: `tfds.load("yolov2_digits")`.

Importing this module registers the builder. It downloads nothing; `download_and_prepare` writes
the scenes of `yolov2_tf.data.digits.scenes` as TFRecords.
"""

import dataclasses
import io

import tensorflow_datasets as tfds

from yolov2_tf.data.digits.scenes import CLASS_NAMES, SPLITS, open_digits

_CITATION = """\
@misc{alpaydin1998optical,
  author = {Alpaydin, E. and Kaynak, C.},
  title = {Optical Recognition of Handwritten Digits},
  year = {1998},
  publisher = {UCI Machine Learning Repository},
  doi = {10.24432/C50P49}
}
"""


@dataclasses.dataclass(eq=False)
class DigitsConfig(tfds.core.BuilderConfig):
    """Which scenes to make.

    Attributes:
        size: Height and width of the pictures in pixels.
        count: Number of scenes in each split. None: 1,000 for train, 200 for validation and test.
        seed: Another seed gives other scenes.
    """

    size: int = 224
    count: int | None = None
    seed: int = 0


class Yolov2Digits(tfds.core.GeneratorBasedBuilder):
    """Scenes of 1 to 6 real handwritten digits on photographs and textures, with boxes.

    Other sizes, counts and seeds than those of the listed configurations:
    `tfds.builder("yolov2_digits", config=DigitsConfig(name="small", size=160, count=50))`.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = tuple(
        DigitsConfig(name=f"{size}px", description=f"Scenes of {size} x {size} pixels.", size=size)
        for size in (224, 416)
    )

    def _info(self):
        size = self.builder_config.size
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Scenes of 1 to 6 real handwritten digits (UCI, by way of scikit-learn) in random "
                "sizes and colours on photographs and textures. A box is tight around the ink. "
                "No handwritten sample is in two splits."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3), encoding_format="jpeg"),
                    "image/filename": tfds.features.Text(),
                    "objects": tfds.features.Sequence(
                        {
                            "bbox": tfds.features.BBoxFeature(),
                            "label": tfds.features.ClassLabel(names=CLASS_NAMES),
                        }
                    ),
                }
            ),
            homepage="https://archive.ics.uci.edu/dataset/80",
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # nothing to download
        names = {"val": tfds.Split.VALIDATION}
        return {names.get(split, split): self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split):
        config = self.builder_config
        dataset = open_digits(split, size=config.size, count=config.count, seed=config.seed)
        for record in dataset.records:
            yield (
                record.image_id,
                {
                    "image": io.BytesIO(record.image()),
                    "image/filename": f"{record.image_id}.jpg",
                    "objects": [
                        {"bbox": box, "label": int(label)}
                        for box, label in zip(record.boxes, record.labels, strict=True)
                    ],
                },
            )
