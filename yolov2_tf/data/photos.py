"""The one photo of a person that a dependency brings along and that belongs to nobody.

It is Matplotlib's portrait of Rear Admiral Grace Hopper (U.S. Navy, in the public domain).
"""

from pathlib import Path


def portrait():
    """Path of the portrait, a JPEG of 512 × 600; None where Matplotlib came without it."""
    import matplotlib

    photo = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return photo if photo.is_file() else None  # some distributions leave it out
