"""Windows over paragraphs, each with a question, as samples of tokens."""

from __future__ import annotations

import dataclasses
import random
from array import array
from collections.abc import Sequence

from denas_core import Split
from denas_nlp.text.batches import Rows, TextSample
from denas_nlp.text.task import Preparation
from denas_nlp.text.tokenizer import Tokens

from .questions import Paragraph, Question
from .windows import Window, span_in, token_span, windows


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """Settings for cutting paragraphs into windows.

    Attributes:
        stride: Number of tokens between the starts of two windows, if the windows are long enough.
        query_length: Greatest number of tokens of a question.
    """

    stride: int
    query_length: int

    def stride_in(self, room: int) -> int:
        """Return the stride for windows of `room` tokens: at most half, so that short answers fit whole in a window."""
        return min(self.stride, max(room // 2, 1))


class QuestionSplit(Split[TextSample]):
    """Windows over paragraphs, each after its question.

    Attributes:
        questions: The questions in order.
        windows: The windows; all windows of a question are consecutive.
        owners: The number of the question of each window.
        leads: Number of tokens before the part of the paragraph in each window.
        cut: Number of questions that were too long and were shortened.
        unknown: Number of tokens that are not in the vocabulary.
        tokens: Number of all tokens of the paragraphs.
        may_lack_answers: Whether a question may have no answer; if not, each gets the best one.
    """

    may_lack_answers = False

    def __init__(self, paragraphs: Sequence[Paragraph], preparation: Preparation, cutting: Cutting) -> None:
        """Create the windows of every question."""
        self._form = preparation.form
        self._rows = Rows()
        self._targets = array("i")
        self._texts: list[tuple[str, Tokens]] = []
        self._places = array("i")
        self.questions: list[Question] = []
        self.windows: list[Window] = []
        self.owners, self.leads = array("i"), array("i")
        self.cut = self.unknown = self.tokens = 0
        for paragraph in paragraphs:
            tokens = preparation.tokenizer.tokens(paragraph.text)
            self.unknown += preparation.tokenizer.unknown(tokens.ids)
            self.tokens += len(tokens)
            self._texts.append((paragraph.text, tokens))
            for question in paragraph.questions:
                self._append(question, tokens, preparation, cutting)

    def _append(self, question: Question, tokens: Tokens, preparation: Preparation, cutting: Cutting) -> None:
        tokenizer, frame = preparation.tokenizer, preparation.tokenizer.pair
        query = tokenizer.tokens(question.text).ids
        self.cut += len(query) > cutting.query_length
        query = query[: cutting.query_length]
        room = preparation.max_length - frame.length - len(query)
        spans = (token_span(tokens, *span) for span in question.spans)
        answer = next((span for span in spans if span is not None), None)
        for window in windows(len(tokens), room, cutting.stride_in(room)):
            ids, segments = frame.around(query, tokens.ids[window.start : window.stop])
            lead = len(ids) - len(frame.special[-1]) - (window.stop - window.start)
            inside = None if answer is None else span_in(window, answer)
            self._rows.append(ids, segments)
            self._targets.extend((0, 0) if inside is None else (lead + inside[0], lead + inside[1]))
            self.windows.append(window)
            self.owners.append(len(self.questions))
            self.leads.append(lead)
        self.questions.append(question)
        self._places.append(len(self._texts) - 1)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.windows)

    def length(self, index: int) -> float:
        """Return the number of tokens of one window."""
        return float(self._rows.length(index))

    def sample(self, index: int, rng: random.Random | None = None) -> TextSample:
        """Return one window with the first and last token of the answer; both are token 0 if it has no answer.

        Texts are not augmented.
        """
        ids, segments = self._rows[index]
        targets = tuple(map(float, self._targets[2 * index : 2 * index + 2]))
        return TextSample(ids=ids, segments=segments, targets=targets, form=self._form)

    def text(self, question: int, first: int, last: int) -> str:
        """Return the part of a question's paragraph from the token `first` to the token `last`."""
        text, tokens = self._texts[self._places[question]]
        return text[tokens.starts[first] : tokens.ends[last]].strip()
