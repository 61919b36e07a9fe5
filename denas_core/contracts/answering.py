"""The part of the task contract that uses a trained network: inputs of users, and answers for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from denas_core.errors import ConfigError

from .component import Component

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.values.answer import Answer
    from denas_core.values.batch import Batch
    from denas_core.values.preprocessing import Preprocessing

    from .space import SearchSpace
    from .split import Split

S = TypeVar("S")


class Answering(Component, Generic[S]):
    """How a task uses a trained network. A task that defines `input_reader` and `answer` can be used by `predict`.

    An input is what a user has one answer for: the path of a picture, a sentence, a question with its paragraph.
    """

    longest_batch: ClassVar[float] = float("inf")
    """Greatest length of a batch of inputs with padding, in the unit of `Split.length`; one input may be longer."""

    def items(self, path: Path) -> Iterator[tuple[str, Any]]:
        """Yield the inputs that a file or folder holds, each with a name for the user; by default the path itself.

        A text stands for an input, see `item`. In place of an input that cannot be read, its error may be yielded.

        Raises:
            ConfigError: nothing more can be read from the path.
        """
        yield str(path), path

    def item(self, text: str) -> Any:
        """Return the input that a line of text stands for; by default, the text is a path.

        Raises:
            ConfigError: the text has another form than inputs of this task.
        """
        return Path(text)

    def script(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> str:
        """Return Python code that reads an input and words its answer without DE-NAS and torch; by default, none.

        The code defines ``read(text)``, which returns the inputs of the network for one sample as arrays of NumPy by
        name, and ``answer(outputs)``, which returns a text. It may define ``items(path)``, which does the same as the
        method `items`, but yields the text of each input; without it, a path itself is the text of an input. An error
        of any of them is that of one input. The code has few lines, and imports what it needs. The folder ``HERE`` has
        the files of the export.

        Args:
            space: The space of the network.
            facts: The facts of the trained network, see `TaskData.facts`.
        """
        return ""

    def input_reader(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> Callable[[Any], Split[S]]:
        """Return a function that makes the samples of one input. Their targets have no meaning.

        Args:
            space: The space of the network.
            facts: The facts of the trained network, see `TaskData.facts`.

        Raises:
            ConfigError: the task does not answer for new inputs; the function raises it if an input cannot be read.
        """
        raise ConfigError(f"task {self.id!r} does not answer for new inputs")

    def add_inputs(self, batch: Batch) -> Batch:
        """Return a batch of a space with the further inputs that batches of this task have; by default there are none.

        Exports take these inputs too.

        Args:
            batch: A batch that `SearchSpace.batch` returned.
        """
        return batch

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> Preprocessing | None:
        """Return how the inputs of the network are made, for exports that run without DE-NAS; None if it is not known.

        Args:
            space: The space of the network.
            facts: The facts of the trained network.
        """
        return None

    def answer(self, details: Tensor, split: Split[S], *, facts: Mapping[str, Any]) -> Answer:
        """Return the answer for one input.

        Args:
            details: The results of `Task.details` for all samples of the input.
            split: The samples of the input.
            facts: The facts of the trained network.
        """
        raise ConfigError(f"task {self.id!r} does not answer for new inputs")
