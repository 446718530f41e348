"""What processes cost, from the kernel's own count."""

import os
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_RESIDENT = 1
_PARENT, _UTIME, _CHILDREN_STIME = 1, 11, 14


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and of all that it started, living and ended."""
    total, wanted, stats = 0.0, {pid}, _stats()
    for each, fields in sorted(stats.items()):
        if each in wanted or int(fields[_PARENT]) in wanted:
            wanted.add(each)
            total += sum(int(ticks) for ticks in fields[_UTIME : _CHILDREN_STIME + 1])
    return total / _TICKS_A_SECOND


def _stats() -> dict[int, list[str]]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(encoding="utf-8")
        except OSError:  # it has just ended
            continue
        # The name is in brackets and may hold anything.
        found[int(folder.name)] = text.rpartition(")")[2].split()
    return found


def memory_mb(pid: int) -> float:
    """Memory that a process holds now; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return int(text.split()[_RESIDENT]) * _PAGE_BYTES / 1024**2
