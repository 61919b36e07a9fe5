"""Write how pictures and sounds become inputs as ``preprocessor_config.json``, which pipelines of transformers read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from denas_core.system.atomic import write_json
from denas_core.values.preprocessing import ImageInput, Preprocessing, SoundInput

FILE = "preprocessor_config.json"

BILINEAR = 2
"""Number of bilinear interpolation in Pillow and transformers."""


def write_processor(directory: Path, preprocessing: Preprocessing | None) -> str:
    """Write the file, if transformers has a class that makes such inputs.

    Args:
        directory: The folder of the network.
        preprocessing: How the inputs are made.

    Returns:
        The name of the class of transformers that loads the file; empty if no file is written.
    """
    make = MAKERS.get("" if preprocessing is None else preprocessing.kind)
    document = None if make is None else make(preprocessing)
    if document is None:
        return ""
    write_json(directory / FILE, document)
    return "AutoImageProcessor" if "image_processor_type" in document else "AutoFeatureExtractor"


def image_processor(image: ImageInput) -> dict[str, Any] | None:
    """Return the settings of an image processor; None for grey images, because pipelines read all images in colour.

    The processor of CLIP is the one that resizes the shorter side and cuts out the centre; with `centre_crop` 0.875 it
    resizes to 256 pixels and cuts out 224. DE-NAS cuts before it resizes, which gives almost the same pixels.
    """
    if image.channels != 3:
        return None
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": max(image.size, round(image.size / image.centre_crop))},
        "resample": BILINEAR,
        "do_center_crop": True,
        "crop_size": {"height": image.size, "width": image.size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(image.mean),
        "image_std": list(image.std),
    }


def feature_extractor(sound: SoundInput) -> dict[str, Any]:
    """Return the settings of the feature extractor of wav2vec 2.0, which normalises the values of a sound."""
    return {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": sound.sample_rate,
        "do_normalize": sound.is_normalised,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }


MAKERS: Mapping[str, Callable[[Any], dict[str, Any] | None]] = {
    ImageInput.kind: image_processor,
    SoundInput.kind: feature_extractor,
}
"""The settings for each kind of input."""
