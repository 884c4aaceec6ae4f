# SPDX-License-Identifier: Apache-2.0
"""Draw a report's page as a browser does, on a phone and on a desktop. `make report-pictures`.

python3 builder/tools/picture.py PAGE DIRECTORY [light|dark]
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

PICTURES = {"phone": (360, 1500), "desktop": (1280, 1500)}
# Chromium's narrowest window. A phone is narrower, so a frame inside the window has its width.
WINDOW = 500
LARGEST = 300_000

FRAME = """<!DOCTYPE html>
<style>
html {{ color-scheme: {scheme} }}
body {{ margin: 0 }}
iframe {{ display: block; border: 0; width: {width}px; height: {height}px }}
</style>
<iframe src="page.html" scrolling="no"></iframe>
"""
# It also runs as root, and it makes no network requests.
CHROMIUM = """chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars
    --force-device-scale-factor=1""".split()


def draw(page: Path, width: int, height: int, scheme: str) -> bytes:
    """The top of a page as a PNG."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        shutil.copy(page, work / "page.html")
        frame = FRAME.format(scheme=scheme, width=width, height=height)
        (work / "frame.html").write_text(frame, encoding="utf-8")
        options = [
            f"--user-data-dir={work / 'profile'}",
            f"--window-size={max(width, WINDOW)},{height}",
            f"--screenshot={work / 'picture.png'}",
            (work / "frame.html").as_uri(),
        ]
        done = subprocess.run(
            [*CHROMIUM, *options], capture_output=True, text=True, timeout=120, check=False
        )
        if not (work / "picture.png").exists():
            sys.exit(f"chromium drew nothing:\n{done.stderr}")
        return narrowed((work / "picture.png").read_bytes(), width)


def narrowed(png: bytes, width: int) -> bytes:
    """The left part of a PNG (RFC 2083), without decoding it: a filter looks only left and up.

    It stands here because it is all that the pictures need, and an imaging library would be a
    dependency for two pictures in docs/.
    """
    chunks, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += length + 12
    was, height, depth, color, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, color in {2, 6}, rest) == (8, True, [0, 0, 0])
    pixel = {2: 3, 6: 4}[color]
    rows = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    wide, narrow = 1 + was * pixel, 1 + min(was, width) * pixel
    kept = b"".join(rows[row * wide : row * wide + narrow] for row in range(height))
    header = struct.pack(">IIBBBBB", min(was, width), height, depth, color, *rest)
    made = ((b"IHDR", header), (b"IDAT", zlib.compress(kept, 9)), (b"IEND", b""))
    return png[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in made
    )


def main(page: Path, directory: Path, scheme: str = "light") -> None:
    """Draw each picture."""
    for name, (width, height) in PICTURES.items():
        png = draw(page, width, height, scheme)
        if len(png) > LARGEST:
            sys.exit(f"report-{name}.png has {len(png)} bytes, too many for a page of docs")
        (directory / f"report-{name}.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4])
