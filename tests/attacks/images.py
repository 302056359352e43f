"""Hostile and odd image files, made here byte by byte so that none has to be kept."""

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image, ImageCms

CANARY = b"canary-7f3a91"
ORIENTATION, MAKE, MODEL, EXIF_IFD, GPS_IFD, MAKER_NOTE = (
    0x112,
    0x10F,
    0x110,
    0x8769,
    0x8825,
    0x927C,
)
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

Maker = tuple[str, str, bytes]
MAKERS: list[Maker] = [
    ("Apple", ">", b"Apple iOS\0\0\1MM"),
    ("Canon", "<", b"\x1e\0\1\0\3\0"),
    ("CASIO COMPUTER CO.,LTD", ">", b"QVC\0\0\0"),
    ("DJI", "<", b"\x1a\0\1\0\2\0"),
    ("FUJIFILM", "<", b"FUJIFILM\x0c\0\0\0"),
    ("Google", "<", b"HDRP\3"),
    ("HUAWEI", ">", b"HUAWEI\0\0"),
    ("LEICA CAMERA AG", "<", b"LEICA\0\0\0"),
    ("NIKON CORPORATION", ">", b"Nikon\0\2\x10\0\0MM\0*"),
    ("OLYMPUS CORPORATION", "<", b"OLYMPUS\0II\3\0"),
    ("Panasonic", "<", b"Panasonic\0\0\0"),
    ("SONY", "<", b"SONY DSC \0\0\0"),
]


def picture(width: int = 24, height: int = 16, mode: str = "RGB") -> Image.Image:
    """Make a picture whose four corners differ: red, green, blue and grey."""
    image = Image.new("RGB", (width, height), "grey")
    corners = {(0, 0): "red", (width // 2, 0): "green", (0, height // 2): "blue"}
    for at, colour in corners.items():
        image.paste(colour, (*at, at[0] + width // 2, at[1] + height // 2))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(**options: object) -> bytes:
    return encoded(picture(), "JPEG", **options)


def png(**options: object) -> bytes:
    return encoded(picture(), "PNG", **options)


def webp(**options: object) -> bytes:
    return encoded(picture(), "WEBP", **options)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Take a PNG apart; checksums are not looked at."""
    at = len(PNG_MAGIC)
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : end]
        at = end + 4


def png_with(*extra: bytes) -> bytes:
    """Make a PNG with more chunks before its pixels."""
    header, rest = png()[:33], png()[33:]
    return header + b"".join(extra) + rest


def repaired_png(data: bytes) -> bytes:
    """Make all checksums right again, so that a mutation reaches the decoder."""
    return PNG_MAGIC + b"".join(png_chunk(kind, body) for kind, body in png_chunks(data))


def huge_png() -> bytes:
    """Claim 60,000 × 60,000 pixels in a hundred bytes."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return PNG_MAGIC + header + pixels + png_chunk(b"IEND", b"")


def text_bomb() -> bytes:
    return png_with(png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)))


def late_text_bomb() -> bytes:
    """Hide the bomb behind the pixels, where it is met only while decoding."""
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    return png()[:-12] + bomb + png_chunk(b"IEND", b"")


def profile_bomb() -> bytes:
    return png_with(png_chunk(b"iCCP", b"bomb\0\0" + zlib.compress(bytes(100_000_000), 9)))


def many_chunks() -> bytes:
    return png_with(png_chunk(b"tEXt", b"a\0b") * 60_000)


def animated_png(frames: int, *, declared: int | None = None) -> bytes:
    """Make an APNG whose header may claim another number of frames."""
    control = struct.pack(">IIIIIHHBB", 0, 24, 16, 0, 0, 1, 10, 0, 0)
    pixels = next(body for kind, body in png_chunks(png()) if kind == b"IDAT")
    more = b"".join(_later_frame(number, pixels) for number in range(frames - 1))
    start = png_with(
        png_chunk(b"acTL", struct.pack(">II", frames if declared is None else declared, 0)),
        png_chunk(b"fcTL", control),
    )
    return start[:-12] + more + png_chunk(b"IEND", b"")


def _later_frame(number: int, pixels: bytes) -> bytes:
    control = struct.pack(">IIIIIHHBB", 2 * number + 1, 24, 16, 0, 0, 1, 10, 0, 0)
    return png_chunk(b"fcTL", control) + png_chunk(
        b"fdAT", struct.pack(">I", 2 * number + 2) + pixels
    )


def animated_webp(frames: int) -> bytes:
    """Make a WEBP animation that shows the same picture again and again."""
    still = webp(lossless=True)[12:]
    place = b"".join(value.to_bytes(3, "little") for value in (0, 0, 23, 15, 40)) + b"\0"
    frame = riff_chunk(b"ANMF", place + still)
    canvas = b"\x02\0\0\0" + (23).to_bytes(3, "little") + (15).to_bytes(3, "little")
    body = riff_chunk(b"VP8X", canvas) + riff_chunk(b"ANIM", bytes(6)) + frame * frames
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def huge_webp() -> bytes:
    """Claim 16,384 × 16,384 pixels by the canvas of an extended file."""
    data = bytearray(webp(lossless=True, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"))
    at = data.index(b"VP8X") + 12
    data[at : at + 6] = b"\xff\x3f\0" * 2
    return bytes(data)


def riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def jpeg_with_scans(scans: int) -> bytes:
    """Repeat one scan of a progressive file; each makes a decoder pass over the whole picture."""
    data = jpeg(progressive=True)
    start = data.index(b"\xff\xda")
    end = min(data.index(mark, start + 2) for mark in (b"\xff\xc4", b"\xff\xda"))
    return data[:start] + data[start:end] * scans + data[end:]


def jpeg_with_segments(segments: int) -> bytes:
    """Cut EXIF into so many pieces that joining them one by one would take its time."""
    return jpeg_segment_added(jpeg(), *([(0xE1, b"Exif\0\0" + bytes(50))] * segments))


def jpeg_segment_added(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    added = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in segments
    )
    return data[:2] + added + data[2:]


def wrong_checksum(data: bytes) -> bytes:
    """Break one bit of the checksum of a PNG's pixels."""
    damaged = bytearray(data)
    damaged[-13] ^= 1
    return bytes(damaged)


IMPOSTORS: dict[str, bytes] = {
    "tiff": encoded(picture(), "TIFF"),
    "gif": encoded(picture(), "GIF"),
    "bmp": encoded(picture(), "BMP"),
    "eps": encoded(picture(), "EPS"),
    "pdf": encoded(picture(), "PDF"),
    "ico": encoded(picture(), "ICO"),
    "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 16, 24, 8, 3) + bytes(20),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "gif with script": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
    "heic": struct.pack(">I", 24) + b"ftypheic" + bytes(200),
    "riff that is a sound": b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + bytes(32),
    "text": b"hello",
    "nothing": b"",
}
"""Files that are named .png and are none."""

DAMAGED: dict[str, Callable[[], bytes]] = {
    "text bomb": text_bomb,
    "text bomb behind the pixels": late_text_bomb,
    "profile bomb": profile_bomb,
    "60,000 chunks": many_chunks,
    "500 scans": lambda: jpeg_with_scans(500),
    "600 segments": lambda: jpeg_with_segments(600),
    "half a PNG": lambda: png()[: len(png()) // 2],
    "half a JPEG": lambda: jpeg()[: len(jpeg()) // 2],
    "half a WEBP": lambda: webp()[: len(webp()) // 2],
    "PNG without its end": lambda: png()[:-12],
    "JPEG without its end": lambda: jpeg()[:-2],
    "wrong checksum": lambda: wrong_checksum(png()),
    "PNG magic alone": lambda: PNG_MAGIC,
    "JPEG magic alone": lambda: b"\xff\xd8\xff",
    "JPEG without a picture": lambda: b"\xff\xd8\xff\xe0\0\2\xff\xd9",
    "WEBP without a picture": lambda: b"RIFF\x04\0\0\0WEBP",
    "two frame headers": lambda: jpeg_segment_added(
        jpeg(), (0xC0, struct.pack(">BHHB", 8, 9, 9, 1) + b"\1\x11\0")
    ),
}
"""Files that begin like pictures and must not be taken."""


def exif(maker: Maker, *, orientation: int = 1) -> bytes:
    """Write EXIF as a maker's camera does: byte order, maker note, position and serial number."""
    name, endian, note = maker
    tags = Image.Exif()
    tags.endian = endian
    tags[MAKE], tags[MODEL], tags[ORIENTATION] = name, CANARY.decode(), orientation
    tags.get_ifd(EXIF_IFD).update({MAKER_NOTE: note + CANARY, 0xA431: CANARY.decode()})
    tags.get_ifd(GPS_IFD).update(
        {1: "N", 2: (47.0, 22.0, 38.5), 3: "E", 4: (8.0, 32.0, 27.2), 0x1D: "2026:11:01"}
    )
    return tags.tobytes()


def profile() -> bytes:
    """Return an sRGB profile with a canary behind it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + CANARY


def smuggled() -> dict[str, bytes]:
    """Make good pictures with a canary, and often a second meaning, in each place there is."""
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + CANARY + b"</x:xmpmeta>"
    script = b"<script>" + CANARY + b"</script>"
    return {
        "JPEG and ZIP": jpeg() + b"PK\3\4" + CANARY + b"PK\5\6" + bytes(18),
        "JPEG and PHP in a comment": jpeg(comment=b"<?php " + CANARY + b" ?>"),
        "JPEG with XMP": jpeg_segment_added(jpeg(), (0xE1, xmp)),
        "JPEG with Photoshop block": jpeg_segment_added(
            jpeg(), (0xED, b"Photoshop 3.0\0" + CANARY)
        ),
        "JPEG with thumbnail": jpeg_segment_added(jpeg(), (0xE0, b"JFXX\0\x10" + jpeg() + CANARY)),
        "JPEG with profile": jpeg(icc_profile=profile()),
        "JPEG with EXIF": jpeg(exif=exif(MAKERS[0])),
        "PNG and HTML behind it": png() + script,
        "PNG with text": png_with(png_chunk(b"tEXt", b"Title\0" + script)),
        "PNG with packed text": png_with(png_chunk(b"zTXt", b"Title\0\0" + zlib.compress(script))),
        "PNG with text of the world": png_with(
            png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + script)
        ),
        "PNG with private chunk": png_with(png_chunk(b"caNv", CANARY)),
        "PNG with profile": png(icc_profile=profile()),
        "PNG with EXIF": png(exif=exif(MAKERS[1])),
        "PNG with transparent pixels and text": encoded(picture(mode="LA"), "PNG")[:33]
        + png_chunk(b"tEXt", b"Title\0" + script)
        + encoded(picture(mode="LA"), "PNG")[33:],
        "WEBP with XMP": webp(xmp=xmp),
        "WEBP with EXIF": webp(exif=exif(MAKERS[2])),
        "WEBP with profile": webp(icc_profile=profile()),
        "WEBP and ZIP": webp() + b"PK\3\4" + CANARY,
    }
