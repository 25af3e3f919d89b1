import numpy as np
import pytest
import tensorflow_datasets as tfds

from yolov2_tf.data.digits.scenes import CLASS_NAMES, open_digits
from yolov2_tf.data.digits.tfds_builder import DigitsConfig, Yolov2Digits

SMALL = DigitsConfig(name="small", size=64, count=4)


class Yolov2DigitsTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Yolov2Digits
    SPLITS = {"train": 4, "validation": 4, "test": 4}  # noqa: RUF012, as tfds.testing has it
    BUILDER_CONFIG_NAMES_TO_TEST = [SMALL]  # noqa: RUF012
    EXAMPLE_DIR = "."  # nothing is downloaded, so there is no dummy data; the folder must exist

    def test_session(self, *arguments, **options):
        return self.session(*arguments, **options)

    test_session.__test__ = False  # it is TensorFlow's context manager, and would count as skipped


def test_default_configuration_is_the_default_data_set():
    assert Yolov2Digits.BUILDER_CONFIGS[0].size == open_digits(count=1).records[0].width
    assert Yolov2Digits.BUILDER_CONFIGS[0].count is None


@pytest.mark.parametrize(("name", "split"), [("validation", "val"), ("test", "test")])
def test_scenes_are_those_of_the_embedded_data_set(tmp_path, name, split):
    builder = tfds.builder("yolov2_digits", data_dir=tmp_path, config=SMALL)
    builder.download_and_prepare()
    assert tuple(builder.info.features["objects"]["label"].names) == CLASS_NAMES

    decoders = {"image": tfds.decode.SkipDecoding()}
    read = {
        example["image/filename"].decode(): example
        for example in tfds.as_numpy(builder.as_dataset(split=name, decoders=decoders))
    }
    records = open_digits(split, size=64, count=4).records
    assert set(read) == {f"{record.image_id}.jpg" for record in records}
    for record in records:
        example = read[f"{record.image_id}.jpg"]
        assert example["image"] == record.image()
        np.testing.assert_array_equal(example["objects"]["bbox"], record.boxes)
        np.testing.assert_array_equal(example["objects"]["label"], record.labels)
