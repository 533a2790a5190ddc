"""Prints how large each built function is, as a binary and packed for Lambda."""

import sys
import zlib
from pathlib import Path


def main(folder):
    rows = [("function", "binary", "packed")]
    total = 0
    for binary in sorted(Path(folder).glob("*/bootstrap")):
        code = binary.read_bytes()
        packed = len(zlib.compress(code, 9))
        total += packed
        rows.append((binary.parent.name, megabytes(len(code)), megabytes(packed)))
    rows.append(("all", "", megabytes(total)))
    for name, plain, packed in rows:
        print(f"  {name:18}{plain:>10}{packed:>10}")


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


main(sys.argv[1])
