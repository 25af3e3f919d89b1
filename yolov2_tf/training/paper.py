"""The paper's recipes, where they differ from the defaults of a recipe in Python."""

DETECTION = {
    "multi_scale": (320, 608),
    "passthrough": "full",
    "jitter": 0.3,
    "clip_norm": None,
}
"""Fields of `DetectionRecipe`. The other defaults are the paper's: SGD 1e-3 with burn-in⁴ over
1,000 steps, divided by 10 at 60 and 90 of 160 epochs, batches of 64, another size every 10 batches,
saturation and exposure × or ÷ 1.5 (section 2; Darknet's yolov2-voc.cfg)."""

CLASSIFICATION = {
    "fine_zoom": (1.0, 512 / 448),
    "rotation": 7.0,
    "saturation": 4 / 3,
    "exposure": 4 / 3,
    "clip_norm": None,
    "high_resolution": (448, 10),
}
"""Fields of `ClassificationRecipe` (section 3; Darknet's darknet19.cfg and darknet19_448.cfg: crops
of at most 512 for 448 px, `angle=7`, `saturation=.75`)."""


def start(fields, given):
    """Those of the paper's fields that nobody set.

    Args:
        fields: `DETECTION` or `CLASSIFICATION`.
        given: Fields that are set, to their values. A network that is not built as `yolov2` has no
            choice of the passthrough. At another size 320 to 608 is no range around it, and the
            larger size of a classifier is twice that.

    Returns:
        Dict of fields to values.
    """
    chosen = {name: value for name, value in fields.items() if name not in given}
    if given.get("model", "yolov2") != "yolov2":
        chosen.pop("passthrough", None)
    if "size" in given:
        chosen.pop("multi_scale", None)
        if "high_resolution" in chosen:
            chosen["high_resolution"] = (2 * given["size"], chosen["high_resolution"][1])
    return chosen
