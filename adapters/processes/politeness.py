"""Working behind everybody else: a process that takes what others leave of the processors."""

import ctypes
import os
import platform
from struct import pack

_NICEST = 19
_SLICE_NANOSECONDS = 100_000_000
"""The longest that Linux allows; before 6.12 it takes no notice."""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Neither Python nor the C library of long-lived distributions has a function for this call."""


def step_back() -> None:
    """Let whoever else has work have the processor first, and at once.

    To be nice is not enough: Linux lets a process end its turn before others come, which takes milliseconds. Whoever
    asks for a shorter turn than the one who works comes at once, however; so ours are to be as long as can be.
    """
    os.nice(_NICEST)
    number = _SCHED_SETATTR.get(platform.machine())
    if platform.system() == "Linux" and number is not None:
        # struct sched_attr: size, policy (the usual one), flags, nice, priority, then the slice.
        attributes = pack("=IIQiIQQQ", 48, 0, 0, _NICEST, 0, _SLICE_NANOSECONDS, 0, 0)
        # Refused in some containers, where others wait a little longer then: nothing else depends on it.
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)
