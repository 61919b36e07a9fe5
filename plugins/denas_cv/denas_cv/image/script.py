"""Code that prepares an image and names its class with Pillow and NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core import SearchSpace

from .decoding import EXTENSIONS, READ
from .form import InputForm, form_of

CODE = """\
from PIL import Image, ImageOps

LABELS = {labels!r}
MEAN = numpy.array({mean!r}, numpy.float32)
STD = numpy.array({std!r}, numpy.float32)
SIZE, CENTRE_CROP = {size}, {crop}
SUFFIXES = {suffixes!r}
Image.init()
FORMATS = [name for name in {formats!r} if name in Image.OPEN]


def items(path):
    files = [path]
    if os.path.isdir(path):
        files = []
        for folder, below, names in os.walk(path):
            below[:] = sorted(name for name in below if not name.startswith((".", "__MACOSX")))
            images = (name for name in names if name.lower().endswith(SUFFIXES) and not name.startswith("."))
            files += [os.path.join(folder, name) for name in sorted(images)]
        if not files:
            raise ValueError(f"a folder without an image; looked for {{', '.join(SUFFIXES)}}")
    yield from ((file, file) for file in files)


def read(path):
    # Pillow starts other programs to read further formats.
    image = ImageOps.exif_transpose(Image.open(path, formats=FORMATS))
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers; convert it")
    if image.mode.startswith("I"):
        values = numpy.asarray(image)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise ValueError("its pixels have more than 16 bits; convert it")
        image = Image.fromarray((values >> 8).astype(numpy.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    image = image.convert("{mode}")
    side = min(image.size)
    if side > SIZE:
        side = max(round(side * CENTRE_CROP), 1)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    pixels = numpy.asarray(image, numpy.float32).reshape(SIZE, SIZE, -1) / 255
    return {{"{name}": ((pixels - MEAN) / STD).transpose(2, 0, 1)[None]}}
"""

ONE_LABEL = """\
def answer(outputs):
    logits = next(iter(outputs.values()))[0].astype(float)
    shares = numpy.exp(logits - logits.max())
    shares /= shares.sum()
    return f"{LABELS[shares.argmax()]}\\t{shares.max():.3f}"
"""

SEVERAL_LABELS = """\
def answer(outputs):
    logits = next(iter(outputs.values()))[0].astype(float)
    shares = 1 / (1 + numpy.exp(-logits))
    named = [place for place in (-shares).argsort() if shares[place] > 0.5]
    share = shares[named].min() if named else 1 - shares.max()
    return ", ".join(LABELS[place] for place in named) + f"\\t{share:.3f}"
"""


def script_of(form: InputForm, facts: Mapping[str, Any], *, answer: str = ONE_LABEL) -> str:
    """Return the code of `Task.script` for images of a form, with one of the ways to answer."""
    code = CODE.format(
        labels=list(facts["labels"]),
        mean=list(facts["mean"]),
        std=list(facts["std"]),
        size=form.size,
        crop=float(facts["centre_crop"]),
        mode="L" if form.channels == 1 else "RGB",
        name=form.name,
        suffixes=tuple(sorted(EXTENSIONS)),
        formats=("JPEG", *READ),
    )
    return f"{code}\n\n{answer}"


def script_of_one_label(task: Any, space: SearchSpace, *, facts: Mapping[str, Any]) -> str:
    """Return code that reads an image file with Pillow, and names its class; see `Task.script`."""
    form = form_of(space)
    return "" if isinstance(form, str) else script_of(form, facts)
