"""Recognise the content of files that are not audio, or audio of a kind that is not read, whatever their names are."""

from __future__ import annotations

HEAD = 1024
"""Number of bytes at the beginning of a file by which its content is recognised."""

_BEGINNINGS = (
    (b"<!doctype html", "an HTML page", "the address or the login of the download was wrong"),
    (b"<html", "an HTML page", "the address or the login of the download was wrong"),
    (b"<?xml", "an XML file", "the address or the login of the download was wrong"),
    (b"version https://git-lfs", "a pointer of Git LFS", "get the file with git lfs pull"),
    (b"\x1f\x8b", "compressed with gzip", "decompress it"),
    (b"pk\x03\x04", "a ZIP archive", "unpack it"),
    (b"\x89png", "a PNG image", "download it again"),
    (b"\xff\xd8\xff", "a JPEG image", "download it again"),
    (b"%pdf", "a PDF document", "download it again"),
    (b"\x1a\x45\xdf\xa3", "WebM or Matroska", "convert it to FLAC, for example with ffmpeg"),
    (b"#!amr", "AMR", "convert it to FLAC, for example with ffmpeg"),
    (b"\x30\x26\xb2\x75", "WMA", "convert it to FLAC, for example with ffmpeg"),
    (b"\xff\xf1", "AAC", "convert it to FLAC, for example with ffmpeg"),
    (b"\xff\xf9", "AAC", "convert it to FLAC, for example with ffmpeg"),
    (b"wvpk", "WavPack", "convert it to FLAC, for example with ffmpeg"),
    (b"ajkg", "audio compressed with shorten", "convert it to FLAC, for example with ffmpeg"),
)
_SPHERE = b"nist_1a"


def what_else(head: bytes) -> tuple[str, str] | None:
    """Return what a content is that cannot be read as audio, and what to do; None if it may be audio.

    Args:
        head: The first `HEAD` bytes, or the whole file.
    """
    lower = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, kind, advice in _BEGINNINGS:
        if lower.startswith(beginning):
            return kind, advice
    if head[4:8] == b"ftyp":
        return "MP4 or M4A", "convert it to FLAC, for example with ffmpeg"
    if lower.startswith(_SPHERE):
        if b"shorten" in lower:
            return "SPHERE compressed with shorten", "decompress it, for example with sph2pipe"
        return None
    if not head.strip(b"\0"):
        return "only zeros", "download it again"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):
        return "text", "download it again"
    return None
