"""Writes TFRecord files of TensorFlow's Object Detection API, and `label_map.pbtxt`."""

import json

from yolov2_tf.data.writers.plain_picture import plain_picture


def write_tfrecord(output, folder):
    """Writes one file per image set, `annotations.tfrecord` where there are none.

    Pictures that are neither JPEG nor PNG, or turned by EXIF, are written as upright PNG.

    Args:
        output: `yolov2_tf.data.writers.conversion.Output`.
        folder: Where to.

    Returns:
        Notes.

    Raises:
        InputError: If a picture is missing or cannot be read.
    """
    import tensorflow as tf

    for name, items in output.files("annotations").items():
        # A number at its end would be taken for that of a shard, were there no other.
        shard = "-00000-of-00001" if name[-1].isdecimal() else ""
        path = folder / f"{name}.tfrecord{shard}"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for item in items:
                writer.write(_example(item, output.class_names).SerializeToString())
    entries = (
        f"item {{\n  id: {i}\n  name: {json.dumps(name, ensure_ascii=False)}\n}}\n"
        for i, name in enumerate(output.class_names, start=1)
    )
    (folder / "label_map.pbtxt").write_text("".join(entries), encoding="utf-8")
    return ()


def _example(item, class_names):
    import tensorflow as tf

    record = item.record
    encoded, kind = plain_picture(record.image, item.name)
    y_min, x_min, y_max, x_max = record.boxes.astype(float).T.tolist()
    labels = record.labels.tolist()
    name = item.name.encode("utf-8", "surrogateescape")

    def of(values):
        if not values or isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    features = {
        "image/encoded": [encoded],
        "image/format": [kind.encode()],
        "image/filename": [name],
        "image/source_id": [name],
        "image/height": [record.height],
        "image/width": [record.width],
    }
    if labels:
        features |= {
            "image/object/bbox/xmin": x_min,
            "image/object/bbox/xmax": x_max,
            "image/object/bbox/ymin": y_min,
            "image/object/bbox/ymax": y_max,
            "image/object/class/text": [class_names[label].encode() for label in labels],
            "image/object/class/label": [label + 1 for label in labels],
            "image/object/difficult": record.ignore.astype(int).tolist(),
        }
    feature = {key: of(values) for key, values in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature))
