"""The built-in families of networks."""

from __future__ import annotations

from denas_hf.family import Family

from .audio import AUDIO
from .decoders import DECODERS
from .encoder_decoders import ENCODER_DECODERS
from .encoders import ENCODERS
from .vision import VISION

FAMILIES: tuple[Family, ...] = (*ENCODERS, *DECODERS, *ENCODER_DECODERS, *VISION, *AUDIO)
