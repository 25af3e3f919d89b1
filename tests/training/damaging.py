"""Files as a bad disk or a power cut leaves them."""


def damage(path, how):
    """Makes a file `flipped` in a bit, `cut`, `empty` or `gone`."""
    content = path.read_bytes()
    middle = len(content) // 2
    if how == "flipped":
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    elif how == "cut":
        path.write_bytes(content[:middle])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
