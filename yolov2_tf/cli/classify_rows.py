"""What `yolov2 classify predict` writes and prints of a picture."""


def as_json(found, head):
    """A picture's classes as JSON-ready values.

    Args:
        found: What `yolov2_tf.classification.classifier.classify` gives of it.
        head: `ClassificationHead`.
    """
    names = head.class_names
    predictions = [
        {"label": names[label], "score": round(float(score), 5)}
        for label, score in zip(found["labels"], found["scores"], strict=True)
    ]
    if head.tree is None:
        return {"predictions": predictions}
    # The root itself, where not even a child of it is probable enough, has no name.
    path = [names[node] for node in head.tree.paths[found["node"]] if node >= 0]
    path = path if found["node"] >= 0 else []
    return {
        "label": path[-1] if path else None,
        "score": round(float(found["probability"]), 5),
        "path": path,
        "predictions": predictions,
    }


def as_line(result):
    """The same as a line of text, of what `as_json` made with the picture's name as `image`."""
    best = ", ".join(f"{p['label']} {p['score']:.2f}" for p in result["predictions"])
    if "path" not in result:
        return f"{result['image']}: {best}"
    path = " > ".join(result["path"]) or "not sure of anything"
    return f"{result['image']}: {path} {result['score']:.2f} ({best})"
