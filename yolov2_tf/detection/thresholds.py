"""What counts as a detection: the one place that states the thresholds."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """What counts as a detection.

    Attributes:
        score: Detections score above this, 0..1.
        iou: Boxes of one class overlapping more than this become one, 0..1.
        detections: The most detections of one image.
        tree: For networks with a label tree: Pr(node | object) of a label is above this, 0..1;
            None for the default of `yolov2_tf.detector`.
    """

    score: float = 0.25
    iou: float = 0.45
    detections: int = 100
    tree: float | None = None


EVALUATION = Thresholds(score=0.005, detections=300)
"""Thresholds of evaluations, as behind the paper's figures."""
