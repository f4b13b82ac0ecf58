"""What the first bytes of a file say it is. Nothing is decoded here."""

from __future__ import annotations

_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_FOREIGN = {
    b"%PDF": "a PDF",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"II+\0": "a TIFF image",
    b"MM\0+": "a TIFF image",
    b"\0\0\1\0": "an icon",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 image",
    b"\xff\x0a": "a JPEG XL image",
    b"\0\0\0\x0cJXL ": "a JPEG XL image",
    b"8BPS": "a Photoshop document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"PARE": "an encrypted Parquet file",
    b"ARROW1": "an Arrow file",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"(\xb5/\xfd": "a zstd archive",
    b"Rar!": "a RAR archive",
    b"<svg": "an SVG drawing",
    b"<?xm": "an XML document",
    b"<!do": "a web page",
    b"<!DO": "a web page",
    b"<htm": "a web page",
    b"OggS": "audio or video",
    b"RIFF": "audio or video",
    b"\x1a\x45\xdf\xa3": "a video",
    b"ID3": "audio",
    b"\x7fELF": "a program",
    b"version https://git-lfs": "a Git LFS pointer instead of the file itself",
}


def picture_type(head: bytes) -> str | None:
    """The media type of a picture that browsers show, or None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if head[4:8] == b"ftyp" and set(_brands(head)) & set(_AVIF_BRANDS):
        return "image/avif"
    return None


def foreign(head: bytes) -> str | None:
    """In words, what is none of ours but well known."""
    if head[4:8] == b"ftyp":
        return "a HEIF image" if set(_brands(head)) & set(_HEIF_BRANDS) else "a video"
    if head[257:262] == b"ustar":
        return "a tar archive"
    for begins, what in _FOREIGN.items():
        if head.startswith(begins):
            return what
    return None


def _brands(head: bytes) -> list[bytes]:
    """The brands of an ISO base media file: the major one and the compatible ones."""
    box = head[8 : min(len(head), int.from_bytes(head[:4], "big"))]
    return [box[:4], *(box[at : at + 4] for at in range(8, len(box), 4))]
