"""Takes away from a process all that decoding an image does not need. Linux's seccomp where there is one.

The limits of memory, time, files and file sizes are every Unix's. The filter of system calls is a list of
what is refused: the network, other programs, other processes, more rights. Refused calls fail with EPERM.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import struct
import sys

MEMORY_BYTES = 1024**3
CPU_S = 20
FILE_BYTES = 32 * 1024**2
MOST_FILES = 64

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_RET_ALLOW, _RET_EPERM = 0x7FFF0000, 0x00050001
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ARCHITECTURE_AT, _NUMBER_AT = 4, 0
# By machine: its audit number, and the numbers of the refused calls, as in Linux's own tables.
_REFUSED = {
    "x86_64": (
        0xC000003E,
        {
            "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50,
            "socketpair": 53, "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "unlink": 87, "ptrace": 101,
            "setuid": 105, "mount": 165, "unlinkat": 263, "unshare": 272, "accept4": 288, "prlimit64": 302,
            "setns": 308, "process_vm_writev": 311, "bpf": 321, "execveat": 322, "io_uring_setup": 425,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "socket": 198, "connect": 203, "accept": 202, "sendto": 206, "sendmsg": 211, "bind": 200,
            "listen": 201, "socketpair": 199, "execve": 221, "kill": 129, "ptrace": 117, "setuid": 146,
            "mount": 40, "unlinkat": 35, "unshare": 97, "accept4": 242, "prlimit64": 261, "setns": 268,
            "process_vm_writev": 271, "bpf": 280, "execveat": 281, "io_uring_setup": 425,
        },
    ),
}  # fmt: skip


def limit() -> bool:
    """Take them away; says whether system calls are filtered too, which only some systems can."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES, MOST_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return _filter_calls()


def can_filter() -> bool:
    """Say whether this system's calls can be filtered."""
    return sys.platform == "linux" and platform.machine() in _REFUSED and sys.maxsize > 2**32


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def _filter_calls() -> bool:
    if not can_filter():
        return False
    code = _program(*_REFUSED[platform.machine()])
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    done: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    return done == 0


def _program(architecture: int, refused: dict[str, int]) -> bytes:
    """Return the filter as the kernel's little machine reads it: eight bytes an instruction."""
    numbers = sorted(refused.values())
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _RET_EPERM),  # a call in another machine's numbers
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_AT_LEAST, len(numbers) + 1, 0, 0x40000000),  # the numbers of x32
        *((_JUMP_EQUAL, len(numbers) - n, 0, number) for n, number in enumerate(numbers)),
        (_RETURN, 0, 0, _RET_ALLOW),
        (_RETURN, 0, 0, _RET_EPERM),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
