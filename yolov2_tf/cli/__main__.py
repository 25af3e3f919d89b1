"""`python -m yolov2_tf.cli`: the `yolov2` command of this checkout."""

from yolov2_tf.cli import main

main()
