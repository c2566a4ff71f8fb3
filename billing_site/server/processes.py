"""Small facts about operating-system processes, and children that end with their parent."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent(with_signal: int = signal.SIGKILL) -> Callable[[], None]:
    """A `preexec_fn` by which Linux sends the child `with_signal` when the thread that started it ends.

    It runs after a change of user, which would clear the setting. Elsewhere it does nothing; see `follow_parent`.
    """
    parent = os.getpid()

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, with_signal, 0, 0, 0)
            if os.getppid() != parent:  # it ended before we could ask
                os._exit(1)

    return prepare


def follow_parent(pipe: int) -> None:
    """End this process when the parent, the only holder of the pipe's other end, has ended.

    Linux needs no help beyond `end_with_parent`, and no thread, which a process that forks better does without.
    """
    if _libc is None:
        threading.Thread(target=_end_when_closed, args=(pipe,), daemon=True).start()


def bind_forks(pipe: int) -> None:
    """Let everything this process forks, and their forks in turn, end with its own parent."""

    def bind() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        else:
            follow_parent(pipe)

    os.register_at_fork(after_in_child=bind)


def end_group(leader: int) -> None:
    """Kill what is left of the process group that a child of ours led."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nothing is left


def reap_strangers(children: set[int]) -> None:
    """Bury orphans that became ours (as the first process of a container), leaving our own children to their owner."""
    try:
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid in children:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)
    except ChildProcessError:
        return


def working_in(directory: Path, name: str) -> Iterator[psutil.Process]:
    """Running processes of that name whose working directory is `directory`."""
    for process in psutil.process_iter():
        try:
            if process.name() == name and Path(process.cwd()) == directory:
                yield process
        except (psutil.Error, OSError):
            continue  # it ended meanwhile, or belongs to another user and so is none of ours


def _end_when_closed(pipe: int) -> None:
    os.read(pipe, 1)
    os.killpg(0, signal.SIGKILL)
