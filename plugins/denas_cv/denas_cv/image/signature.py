"""Say what a file is that is not an image of a kind that is read."""

from __future__ import annotations

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "it is a pointer of Git LFS; fetch the file itself with git lfs pull"),
    (b"\x1f\x8b", "its content is compressed with gzip; unpack it"),
    (b"PK\x03\x04", "its content is a zip archive or an office document"),
    (b"%PDF", "its content is a PDF document"),
    (b"%!PS", "its content is PostScript"),
    (b"ID3", "its content is a sound"),
    (b"\x1aE\xdf\xa3", "its content is a video"),
)

_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_TEXT = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x7F)))


def describe_content(content: bytes) -> str:
    """Return what the content of a file is, as a clause with what to do about it."""
    if not content:
        return "the file is empty"
    if not content.strip(b"\0"):
        return "the file holds only zeros"
    for beginning, reason in _BEGINNINGS:
        if content.startswith(beginning):
            return reason
    if content[4:8] == b"ftyp":
        if content[8:12] in _HEIC:
            return "its content is a HEIC picture, which is not read; convert it to JPEG"
        return "its content is a video or a picture of a kind that is not read; convert it to JPEG"
    start = content[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(_HTML):
        return "its content is a web page (HTML), such as the error page of a download"
    if b"<svg" in start:
        return "its content is an SVG drawing, which is not read; convert it to PNG"
    if not start.translate(None, _TEXT):
        return "its content is text"
    return "its content is not an image of a kind that is read"
