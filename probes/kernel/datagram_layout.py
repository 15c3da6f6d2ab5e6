"""The kernel's own structures for many datagrams by one system call: struct mmsghdr and what it points to."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Any, Final

from probes.kernel.system import HAS_BATCHES, MSG_DONTWAIT

_NOTHING_THERE: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})

_recvmmsg: Any = None
_sendmmsg: Any = None
if HAS_BATCHES:
    _libc = ctypes.CDLL(None, use_errno=True)
    _recvmmsg = _libc.recvmmsg
    _recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
    _sendmmsg = _libc.sendmmsg
    _sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


class IoVec(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class MsgHdr(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class MMsgHdr(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (("header", MsgHdr), ("len", ctypes.c_uint))


def receive_many(fileno: int, headers: int, count: int, flags: int) -> int:
    """Read what is there into the `count` headers at an address, without waiting; how many came.

    Raises:
        OSError: the socket has an error to tell, for instance that the far end refused an earlier packet.
    """
    n: int = _recvmmsg(fileno, headers, count, flags | MSG_DONTWAIT, None)
    if n >= 0:
        return n
    code = ctypes.get_errno()
    if code in _NOTHING_THERE:
        return 0
    raise OSError(code, os.strerror(code))


def send_many(fileno: int, headers: int, count: int) -> int:
    """Send the `count` headers at an address; how many went. 0 when the first of them was refused."""
    n: int = _sendmmsg(fileno, headers, count, MSG_DONTWAIT)
    return max(n, 0)
