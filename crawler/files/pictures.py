"""What is in the bytes of an image, and what does it look like as a JPEG?

They come from the net. Only formats whose decoders are libraries are opened (EPS, for one, is a program that is run);
the size is looked at in the header, before anything is decoded; and an image counts when it has been decoded whole.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from crawler.files.stores import Unusable
from crawler.model.content import sniffed_kind

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000", "ICO", "PPM")

_ORIENTATION = 0x0112
_SHOWN = 1024


def allow(pixels: int) -> None:
    """Let Pillow open images of so many pixels; more than that is an error of its own, too, not only a warning."""
    Image.MAX_IMAGE_PIXELS = max(pixels, Image.MAX_IMAGE_PIXELS or 0)
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@contextmanager
def opened(file: Path, *, most_pixels: int) -> Iterator[Image.Image]:
    """Open an image by its header; what goes wrong with it, here and within, raises Unusable."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            if width * height > most_pixels:
                said = f"{width} x {height} pixels, more than IMAGES_MAX_PIXELS ({most_pixels:,})"
                raise Unusable("too_large", said)
            yield image
    except Unusable:
        raise
    except OSError as error:
        if error.errno is not None:  # it is the disk's
            raise
        raise _unusable(error, file) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable("too_large", f"{error} (IMAGES_MAX_PIXELS)") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError and more
        raise _unusable(error, file) from error


def _unusable(error: Exception, file: Path) -> Unusable:
    if isinstance(error, UnidentifiedImageError):
        return Unusable("no_image", f"no image that can be read{_what(file)}")
    return Unusable("broken", f"the image is broken: {type(error).__name__}: {error}")


def _what(file: Path) -> str:
    with file.open("rb") as body:
        head = body.read(_SHOWN)
    if b"<svg" in head:
        return ", but SVG"
    kind = sniffed_kind(None, "", head)
    return "" if kind == "binary" else f", but {kind.upper() if kind != 'text' else 'text'}"


def decoded(image: Image.Image, *, least: tuple[int, int]) -> tuple[Image.Image, bool]:
    """Return the image as it is to be stored, upright, in RGB, what is transparent on white; and whether its file is
    a JPEG of just that. Raises Unusable for one below ``least`` (width, height).
    """
    image.load()
    turned = image.getexif().get(_ORIENTATION, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image
    width, height = upright.size
    if width < least[0] or height < least[1]:
        said = f"{width} x {height} pixels, less than {least[0]} x {least[1]} (IMAGES_MIN_WIDTH, IMAGES_MIN_HEIGHT)"
        raise Unusable("too_small", said)
    return _in_rgb(upright), image.format in ("JPEG", "MPO") and image.mode == "RGB" and not turned


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        transparent = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(transparent, mask=transparent.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def thumbnail(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the whole picture, no larger than ``size``."""
    small = picture.copy()
    small.thumbnail(size, Image.Resampling.LANCZOS)
    return small


def write_jpeg(picture: Image.Image, file: Path) -> None:
    """Write a picture in RGB; OSError if the disk does not take it."""
    with file.open("wb") as body:
        picture.save(body, "JPEG")
