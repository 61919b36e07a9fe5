"""Read the parts of a data set that a training or an evaluation needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_asr.data.features import FeatureReader
from denas_asr.data.utterance import Limits
from denas_asr.data.utterances import Part, read_split
from denas_asr.features.fbank import Fbank
from denas_asr.features.spec_augment import SpecAugment
from denas_asr.vocabulary.choice import make_vocabulary, vocabulary_of
from denas_core import SearchSpace, TaskData
from denas_core.errors import ConfigError, keep_notices

from .data_options import DataOptions
from .feature_pipeline import FeaturePipeline
from .form import SpeechForm
from .held_out import FACT, check_transcripts, digest_of, held_out_notice, set_aside
from .notices import shared_notice, too_short_notice, unknown_notice
from .parts import evaluation_part, training_part, validation_part
from .split import SpeechSample, SpeechSplit


def training_data(
    task: DataOptions, data: Path, space: SearchSpace, form: SpeechForm
) -> TaskData[SpeechSample]:
    """Read the training part and the validation part.

    Raises:
        ConfigError: see `Task.read`.
    """
    train_name = training_part(data, task.train, task.columns)
    dev_name = validation_part(data, task.dev, task.columns)
    if dev_name is not None and dev_name == train_name:
        raise ConfigError(
            f"part {train_name!r} cannot be used for both training and validation; name another with --dev"
        )
    train = _part(task, data, train_name)
    notices = [*train.problems.notices()]
    with keep_notices(lambda: notices):
        if dev_name is None:
            learnt, measured = set_aside(train.utterances, task.valid_share)
            held_out = {FACT: {"digest": digest_of(train.utterances), "share": task.valid_share}}
            notices.append(held_out_notice(len(measured), len(train.utterances)))
        else:
            dev = _part(task, data, dev_name)
            learnt, measured, held_out = train.utterances, dev.utterances, {}
            notices += [*dev.problems.notices(), *shared_notice(learnt, measured)]
        check_transcripts([utterance.text for utterance in learnt], train.problems.where)
        vocabulary = make_vocabulary(task.vocab, [utterance.text for utterance in learnt])
        reader = FeatureReader(
            rate=task.rate,
            fbank=Fbank(mels=form.mels),
            speeds=tuple(task.speed),
            cache_mb=task.cache_mb,
            longest=task.max_seconds,
        )
        pipeline = FeaturePipeline(
            reader=reader, cmvn=task.cmvn, masks=SpecAugment() if task.spec_augment else None
        ).with_normalisation_of(learnt)
        splits = [SpeechSplit(part, pipeline, vocabulary) for part in (learnt, measured)]
        notices += [
            *too_short_notice(splits[0], space),
            *unknown_notice(splits[0], "training"),
            *unknown_notice(splits[1], "validation"),
        ]
    return TaskData(
        train=splits[0],
        valid=splits[1],
        facts={
            "symbols": len(vocabulary),
            "vocabulary": vocabulary.as_facts(),
            "features": pipeline.as_facts(),
            **held_out,
        },
        notices=notices,
    )


def evaluation_data(
    task: DataOptions, data: Path, form: SpeechForm, facts: Mapping[str, Any]
) -> TaskData[SpeechSample]:
    """Read the part to measure on.

    If it is the data of the training, of which a share was set aside, only that share is measured on.

    Raises:
        ConfigError: see `Task.read`.
    """
    name = evaluation_part(data, task.split, task.dev, task.columns)
    pipeline = FeaturePipeline.from_facts(facts["features"], cache_mb=task.cache_mb, longest=task.max_seconds)
    if pipeline.reader.fbank.mels != form.mels:
        raise ConfigError(
            f"the model was trained on {pipeline.reader.fbank.mels} mel bands, but networks of its space take "
            f"{form.mels}"
        )
    part = _part(task, data, name)
    utterances, notices = part.utterances, [*part.problems.notices()]
    with keep_notices(lambda: notices):
        held_out = facts.get(FACT)
        if held_out is not None and held_out["digest"] == digest_of(utterances):
            utterances = set_aside(utterances, held_out["share"])[1]
            notices.append(held_out_notice(len(utterances), len(part.utterances)))
        elif name and not task.split:
            notices.insert(0, f"measured on the part {name!r} (task.split)")
        valid = SpeechSplit(utterances, pipeline, vocabulary_of(facts["vocabulary"]))
        notices += unknown_notice(valid, "validation")
    return TaskData(train=None, valid=valid, facts=dict(facts), notices=notices)


def _part(task: DataOptions, data: Path, name: str | None) -> Part:
    limits = Limits(longest=task.max_seconds)
    return read_split(
        data, name, limits=limits, decode=task.decode_first, strict=task.strict, columns=task.columns
    )
