"""How long a picture waits for others to share its packet."""

from __future__ import annotations

from vidlink.types import IPV4_UDP_RTP_BYTES

_HEADER_SHARE = 0.2
"""Pictures share packets where headers, at one packet a picture, would take more of the budget than this ..."""
_HEADER_SHARE_AIM = 0.1
"""... and wait for each other for so long that headers take about this."""
_LONGEST_WAIT_S = 0.2


def aggregation_s(rate_bps: float | None, frame_rate: float, header_bytes: int = IPV4_UDP_RTP_BYTES) -> float:
    """How long a picture waits for others to share its packet, in seconds; 0 where headers are a small matter.

    Parameters
    ----------
    rate_bps
        Budget on wire bits per second, or None.
    frame_rate
        Pictures a second.
    header_bytes
        Header bytes of a packet.

    Examples
    --------
    >>> aggregation_s(16_000, 25.0)  # 25 headers of 40 bytes a second would be half of 16 kb/s
    0.2
    >>> aggregation_s(64_000, 25.0)
    0.0
    """
    header_bits = 8 * header_bytes
    if rate_bps is None or header_bits * frame_rate <= _HEADER_SHARE * rate_bps:
        return 0.0
    return round(min(_LONGEST_WAIT_S, header_bits / (_HEADER_SHARE_AIM * rate_bps)), 3)
