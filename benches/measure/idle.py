#!/usr/bin/env -S python3 -B
"""What an idle terminal costs: resident memory after READY, and wake-ups per second of every thread.

Usage: benches/measure/idle.py [SECONDS]    (60)
"""

import os
import pathlib
import re
import sys
import time

from terminal import Terminal


def field(text, name):
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE).group(1))


def threads(pid):
    """Name and context switches so far, by thread."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        name = (task / "comm").read_text().strip()
        woken = field(status, "voluntary_ctxt_switches")
        found[int(task.name)] = (name, woken)
    return found


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def print_memory(pid):
    # Pages of a file that was only just written would count as the process's own.
    os.sync()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    mib = {name: field(status, name) / 1024 for name in ("VmRSS", "RssAnon", "RssFile")}
    dirty = field(rollup, "Private_Dirty") / 1024
    print(
        f"resident {mib['VmRSS']:.1f} MiB (ceiling 12): {mib['RssFile']:.1f} of files, {mib['RssAnon']:.1f} anonymous; "
        f"private dirty {dirty:.1f}; {field(status, 'Threads')} threads"
    )


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    terminal = Terminal()
    terminal.start()
    pid = terminal.daemon.pid
    time.sleep(5)
    print_memory(pid)
    before, ticks = threads(pid), cpu_ticks(pid)
    time.sleep(seconds)
    after = threads(pid)
    total = 0
    for thread, (name, count) in sorted(after.items()):
        woken = count - before.get(thread, (name, 0))[1]
        total += woken
        print(f"  {name:16} woken {woken} times in {seconds} s")
    print(f"idle wake-ups per second: {total / seconds:.3f}; CPU time {cpu_ticks(pid) - ticks} ticks of 10 ms")
    print_memory(pid)
    terminal.stop()
    terminal.remove()


main()
