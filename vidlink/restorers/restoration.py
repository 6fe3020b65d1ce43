"""The pictures of a run at full size, each restored when somebody looks at it, and what that took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.plugins import RAISED, reason
from vidlink.restorers.registry import DEFAULT, RESTORERS, check_budget, check_multiply_adds, load_restorer
from vidlink.restorers.restorer import Look
from vidlink.restorers.window import nearest
from vidlink.video.park import fetched
from vidlink.video.pictures import Upsampler, luma, with_luma

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    import torch
    from numpy.typing import NDArray

    from vidlink.restorers.restorer import Restorer
    from vidlink.types import Clip, Picture, Reception


class Restoration:
    """Brings the pictures of a stream to full size.

    Parameters
    ----------
    clip
        Gives the full size.
    name
        The restorer, as :func:`~vidlink.restorers.registry.load_restorer` takes it.
    later
        Whether it may look at pictures that come later, which live it cannot.
    device
        Where it is to compute.
    budget
        Multiply-adds that a picture may take, a pixel of full size; None for any.

    Raises
    ------
    UserError
        There is no such restorer, it cannot be loaded, or the budget is too small for it.
    """

    def __init__(
        self,
        clip: Clip,
        name: str = DEFAULT,
        *,
        later: bool = True,
        device: torch.device | None = None,
        budget: float | None = None,
    ) -> None:
        self._clip, self._name, self._later, self._budget = clip, name, later, budget
        self._restorer: Restorer | None = None
        if name != DEFAULT:
            self._restorer = load_restorer(name, device=device, budget=budget)
        if budget is not None:
            check_budget(name, self._restorer, budget, height=clip.height, width=clip.width)
        self._upsample = Upsampler(clip.width, clip.height)
        self._stream: list[Reception] = []
        self._place: dict[int, int] = {}
        self._last: tuple[Picture, av.VideoFrame] | None = None
        self._counted: set[int] = set()
        self._restored, self._left, self._multiply_adds = 0, 0, 0.0
        self._patches: dict[str, int] = {}

    @property
    def interpolates(self) -> bool:
        """Whether nothing is restored."""
        return self._restorer is None

    def signal(self, messages: Sequence[bytes], *, sent_bits: int) -> None:
        """Take in what was sent along to restore the next segment: nothing comes of it here."""

    def of_segment(self) -> dict[str, Any]:
        """Further columns of the segment."""
        return {}

    def notes(self) -> list[str]:
        """What is to be said of it, a sentence each."""
        return []

    def add(self, receptions: Sequence[Reception]) -> None:
        """Take in the pictures of the next segment; those of the one before are over, but for the last few."""
        if self._restorer is None:
            return
        stream = self._stream[-max(1, self._restorer.frames - 1) :]
        for reception in receptions:
            if reception.picture is not None and (not stream or stream[-1].picture is not reception.picture):
                stream.append(reception)
        self._stream = stream
        self._place = {id(reception.picture): place for place, reception in enumerate(stream)}
        self._counted &= self._place.keys()

    def __call__(self, picture: Picture) -> av.VideoFrame:
        """A picture of the segment at full size, ``yuv420p``.

        Raises
        ------
        UserError
            The restorer fails, or gives what is no luma of that size; it is named.
        """
        if self._restorer is None:
            return self._upsample(picture)
        if self._last is None or self._last[0] is not picture:
            self._last = picture, self._restore(self._restorer, self._place[id(picture)])
        return self._last[1]

    def grey(self) -> av.VideoFrame:
        """What is on show before anything was ever decoded."""
        return self._upsample.grey()

    def _restore(self, restorer: Restorer, asked: int) -> av.VideoFrame:
        places = nearest(len(self._stream), asked, restorer.frames, later=self._later)
        large = {place: self._upsample(self._stream[place].picture) for place in set(places)}  # type: ignore[arg-type]
        looks = {place: _look(self._stream[place], picture) for place, picture in large.items()}
        try:
            found = restorer([looks[place] for place in places])
        except UserError:
            raise
        except RAISED as error:
            raise UserError(f"{RESTORERS.called(self._name)}: raised {reason(error)}") from error
        multiply_adds = check_multiply_adds(self._name, restorer)
        picture = self._stream[asked].picture
        if id(picture) not in self._counted:  # large ones are made again for whoever looks
            self._count(multiply_adds, getattr(restorer, "patches", {}))
            self._counted.add(id(picture))
        return with_luma(large[asked], self._checked(found))

    def _count(self, multiply_adds: float, patches: dict[str, int]) -> None:
        for path, count in patches.items():
            self._patches[path] = self._patches.get(path, 0) + count
        self._restored, self._left = self._restored + bool(multiply_adds), self._left + (not multiply_adds)
        self._multiply_adds += multiply_adds * self._clip.width * self._clip.height

    def _checked(self, found: Any) -> NDArray[np.uint8]:
        size = (self._clip.height, self._clip.width)
        if not isinstance(found, np.ndarray) or found.shape != size or found.dtype != np.uint8:
            what = f"{found.dtype} of shape {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
            raise UserError(f"{RESTORERS.called(self._name)}: gave {what}, expected luma, uint8 of shape {size}")
        return found

    def summary(self) -> dict[str, Any] | None:
        """The section ``restoration`` of ``summary.json``; None where pictures are only interpolated."""
        if self._restorer is None:
            return None
        pixels = (self._restored + self._left) * self._clip.width * self._clip.height
        return {
            "restorer": self._name,
            "frames": self._restorer.frames,
            "restored": self._restored,
            "left": self._left,
            "multiply_adds": round(self._multiply_adds),
            "multiply_adds_per_pixel": round(self._multiply_adds / pixels, 1) if pixels else None,
            **({} if self._budget is None else {"budget": self._budget}),
            **({"patches": self._patches} if self._patches else {}),
        }


def _look(reception: Reception, large: av.VideoFrame) -> Look:
    return Look(
        small=luma(fetched(reception.picture)),  # type: ignore[arg-type]
        large=luma(large),
        scale=reception.scale,
        quality=reception.quality,
        qp=reception.qp,
        status=str(reception.status),
    )
