"""Counts what docs/architecture.md says about the size of the package.

    python benchmarks/house.py [FOLDER]

FOLDER is a checkout, by default this one. Lines of a function are counted from `def` to its end,
without its docstring; parameters without `self` and `cls`.
"""

import ast
import sys
from pathlib import Path

MOST_LINES, MOST_PARAMETERS = 60, 7


def modules(root):
    """The package's modules, with those of `export/` and `web_demo/`."""
    return sorted(
        path for room in ("yolov2_tf", "export", "web_demo") for path in (root / room).rglob("*.py")
    )


def functions(path):
    """For each function of a module its name, lines and number of parameters."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            names = [argument.arg for argument in arguments]
            documented = ast.get_docstring(node) is not None
            start = node.body[0].end_lineno + 1 if documented else node.lineno
            yield (
                f"{path.stem}.{node.name}",
                node.end_lineno - start + 1,
                len([name for name in names if name not in ("self", "cls")]),
            )


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
    paths = modules(root)
    found = [function for path in paths for function in functions(path)]
    long = [f"{name} ({lines})" for name, lines, _ in found if lines > MOST_LINES]
    wide = [f"{name} ({count})" for name, _, count in found if count > MOST_PARAMETERS]
    top = len(list((root / "yolov2_tf").glob("*.py")))
    print(f"files {len(paths)}, of these at the top of yolov2_tf/ {top}")
    print(f"lines {sum(len(path.read_text().splitlines()) for path in paths)}")
    print(f"functions {len(found)}, the longest {max(found, key=lambda f: f[1])[:2]}")
    print(f"above {MOST_LINES} lines: {len(long)}: {', '.join(long)}")
    print(f"above {MOST_PARAMETERS} parameters: {len(wide)}: {', '.join(wide)}")


if __name__ == "__main__":
    main()
