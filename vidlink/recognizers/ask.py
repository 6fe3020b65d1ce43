"""Ask a recognizer about one batch, and check what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.plugins import RAISED, reason
from vidlink.recognizers.recognizer import names_classes, outputs
from vidlink.units import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.recognizers.recognizer import Context, Recognizer


def call(
    recognizer: Recognizer,
    pictures: Tensor,
    context: Context,
    features: Callable[[Tensor, Context], Tensor] | None = None,
) -> Any:
    """Call a recognizer, or its method ``features``.

    Raises
    ------
    UserError
        It raises; the message names the recognizer.
    """
    try:
        return (features or recognizer)(pictures, context)
    except UserError:
        raise
    except RAISED as error:
        raise UserError(f"recognizer {recognizer.name!r}: raised {reason(error)}") from error


def finite(recognizer: Recognizer, given: Tensor) -> Tensor:
    """What a recognizer gave as 32-bit numbers in main memory.

    Raises
    ------
    UserError
        It is complex, sparse, cannot be read, or holds numbers that are not finite.
    """
    import torch

    if given.is_complex() or given.layout != torch.strided:
        kind = "complex numbers" if given.is_complex() else f"a tensor of layout {given.layout}"
        raise UserError(f"recognizer {recognizer.name!r}: gave {kind}, expected a dense tensor of real numbers")
    try:
        answer = given.detach().to("cpu", torch.float32)
    except RAISED as error:
        raise UserError(f"recognizer {recognizer.name!r}: gave what cannot be read: {reason(error)}") from error
    if not torch.isfinite(answer).all():
        raise UserError(f"recognizer {recognizer.name!r}: gave numbers that are not finite, expected finite ones")
    return answer


def ask(
    recognizer: Recognizer,
    pictures: Tensor,
    context: Context,
    features: Callable[[Tensor, Context], Tensor] | None = None,
) -> NDArray[np.float32]:
    """Ask a recognizer for its answers, or by its method ``features`` for those, of which there may be any number.

    Raises
    ------
    UserError
        It raises, or gives another shape or numbers that are not finite. The message names the recognizer.
    """
    import torch

    given = call(recognizer, pictures, context, features)
    wanted: tuple[int, int | str] = (len(pictures), len(outputs(recognizer)))
    if features:
        wanted = (len(pictures), given.shape[1] if isinstance(given, torch.Tensor) and given.ndim == 2 else "any")
    if not isinstance(given, torch.Tensor):
        raise UserError(f"recognizer {recognizer.name!r}: gave {type(given).__name__}, expected a Tensor of {wanted}")
    if tuple(given.shape) != wanted:
        raise UserError(f"recognizer {recognizer.name!r}: gave shape {tuple(given.shape)}, expected {wanted}")
    answer = finite(recognizer, given).numpy()
    # Scores of classes may be as large as they like: only their differences count.
    if not features and not names_classes(recognizer) and answer.size and np.abs(answer).max() > NUMBER.most:
        raise UserError(
            f"recognizer {recognizer.name!r}: gave numbers up to {np.abs(answer).max():g}, expected none beyond "
            f"{NUMBER.most:g}"
        )
    return answer
