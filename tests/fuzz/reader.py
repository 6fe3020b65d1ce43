"""Reads the videos whose paths come by stdin, one a line, and answers in lines: ``read``, ``refused`` or what it was.

It is a process of its own, so that a crash inside a decoder is seen as what it is.
"""

import sys
from itertools import islice

from vidlink.errors import UserError
from vidlink.video.open import open_source

for line in sys.stdin:
    try:
        source = open_source(line.rstrip("\n"))
        count = sum(len(segment.frames) for segment in islice(source.segments(1.0), 5))
        answer = f"read {count}"
    except UserError as error:
        answer = "refused" if str(error) and "\n" not in str(error) else f"not in one line: {error!r}"
    except Exception as error:
        answer = f"{type(error).__name__}: {error!r}"
    print(answer, flush=True)
