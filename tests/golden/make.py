"""Writes the golden cases that the Python, Java and JavaScript readers of a `.tflite` file share.

`README.md` beside this file says what they hold.

    python tests/golden/make.py [FOLDER]
"""

import json
import sys
from pathlib import Path

from cases import make_cases, make_pictures
from changes import make_changes


def main(folder):
    """Writes the files."""
    pictures = make_pictures()
    cases = make_cases(pictures)
    rows = [
        {
            "name": name,
            "height": len(pixels),
            "width": len(pixels[0]),
            "pixels": pixels.ravel().tolist(),
        }
        for name, pixels in pictures.items()
    ]
    write(folder / "pictures.json", rows)
    write(folder / "cases.json", cases)
    write(folder / "changes.json", make_changes(cases))


def write(path, entries):
    """Writes one JSON file, an entry a line."""
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
