"""What other plugins and programs may import from `denas_asr`."""

from .data.check import check_data as check_data
from .data.features import FeatureReader as FeatureReader
from .data.utterances import read_split as read_split
from .decoding.attention_scorer import Network as Network
from .decoding.decode import DecodingSettings as DecodingSettings
from .decoding.decode import decode as decode
from .decoding.greedy import greedy as greedy
from .decoding.prefix_beam import prefix_beam as prefix_beam
from .decoding.rates import character_errors as character_errors
from .decoding.rates import word_errors as word_errors
from .features.spec_augment import SpecAugment as SpecAugment
from .features.speed import KALDI_SPEEDS as KALDI_SPEEDS
from .features.speed import ORIGINAL_SPEEDS as ORIGINAL_SPEEDS
from .loading import load as load
from .task.recognition import SpeechRecognition as SpeechRecognition
from .transformer.space import Transformer as Transformer
from .vocabulary.characters import Characters as Characters
from .vocabulary.choice import make_vocabulary as make_vocabulary
from .vocabulary.choice import vocabulary_of as vocabulary_of
