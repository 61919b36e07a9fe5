"""What a network must be fed: how its inputs are made of pictures, texts or sounds, in words that exports can carry."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

SCHEMA = "denas.preprocessing/1"
"""Version of the description in exports."""

RESERVED = frozenset({"schema", "inputs", "outputs", "labels"})
"""Keys of the description that come from the exported network, and so cannot be names of fields."""

Activation = Literal["softmax", "sigmoid", ""]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How the inputs of a network are made.

    A plugin whose inputs are of another kind derives a class: its fields are written into exports under their names,
    so JSON must be able to represent them. An export adds the inputs and outputs of the network and the labels under
    the keys in `RESERVED`, which no field may have as its name.

    >>> import dataclasses
    >>> from typing import ClassVar
    >>> @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    ... class Rows(Preprocessing):
    ...     kind: ClassVar[str] = "rows"
    ...     columns: int
    >>> Rows(columns=12, activation="softmax").as_dict()
    {'kind': 'rows', 'activation': 'softmax', 'columns': 12}

    Attributes:
        kind: The kind of inputs.
        activation: The function that makes probabilities of the logits; empty if there is none.
    """

    kind: ClassVar[str] = ""
    activation: Activation = ""

    def __init_subclass__(cls) -> None:
        """Refuse a class with a field whose name has another meaning in exports.

        Raises:
            TypeError: there is such a field.
        """
        for name in RESERVED & set(cls.__annotations__):
            raise TypeError(
                f"{cls.__name__}: a field of a Preprocessing cannot be called {name!r}, because exports describe the "
                "network under this key; choose another name"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return kind and fields, as JSON can represent them."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            "kind": self.kind,
            **{name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()},
        }

    def files(self) -> Mapping[str, str]:
        """Return texts that belong beside an export, by name of their file."""
        return {}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput(Preprocessing):
    """A square of a picture: the centre is cut out, resized, and normalised.

    The side of the cut square is `centre_crop` of the shorter side of the picture, rounded, if that side is longer than
    `size`; of other pictures, the largest square is taken. It is resized with bilinear interpolation without aliasing.
    Pixels are then scaled to numbers from 0 to 1, `mean` is subtracted, and the result is divided by `std`.

    Attributes:
        input: Name of the input of the network, (samples, channels, size, size).
        channels: 3 for red, green and blue; 1 for grey values, 0.299 red + 0.587 green + 0.114 blue.
        size: Side of the square in pixels.
        centre_crop: See above.
        mean: The mean of each channel.
        std: The standard deviation of each channel.
    """

    kind: ClassVar[str] = "image"
    input: str
    channels: int
    size: int
    centre_crop: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and the layout of the input."""
        return {
            **Preprocessing.as_dict(self),
            "layout": "samples, channels, height, width",
            "resize": "bilinear, antialiased",
            "pixels": "0 to 1",
        }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TextInput(Preprocessing):
    """Tokens of a text, or of two texts.

    Attributes:
        token_inputs: Names of those inputs of the network that the tokenizer makes, as transformers names them.
        max_length: Greatest number of tokens, including special tokens; more are cut off.
        tokenizer: The content of the ``tokenizer.json``.
    """

    kind: ClassVar[str] = "text"
    token_inputs: tuple[str, ...]
    max_length: int
    tokenizer: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, with the name of the file instead of the content of the tokenizer."""
        return {**Preprocessing.as_dict(self), "tokenizer": "tokenizer.json"}

    def files(self) -> Mapping[str, str]:
        """Return the tokenizer."""
        return {"tokenizer.json": self.tokenizer}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SoundInput(Preprocessing):
    """The values of a sound, without features.

    Attributes:
        input: Name of the input of the network, (samples, values).
        sample_rate: Values of a second.
        is_normalised: Whether the values of each sound have mean 0 and standard deviation 1.
    """

    kind: ClassVar[str] = "sound"
    input: str
    sample_rate: int
    is_normalised: bool
