"""Where the pictures of an image set are: in a folder of its name, or of another word for it."""

from yolov2_tf.data.image_sets import role
from yolov2_tf.data.visible_files import folders_in


def folders_of_set(name, places):
    """Folders of an image set in some folders, each with `images/` in it.

    Args:
        name: The image set, e.g. `"train_annotations"`; a folder `train` is its, and `valid` that
            of `val`, where none is called as the set itself.
        places: Folders to look into, likeliest first.

    Returns:
        List of paths, likeliest first.
    """
    found = []
    for place in places:
        inside = folders_in(place)
        own = [sub for sub in inside if sub.name == name] or [
            sub for sub in inside if role(name) and role(sub.name) == role(name)
        ]
        found += [sub / part for sub in own for part in ("", "images")]
    return found
