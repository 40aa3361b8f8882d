#!/usr/bin/env -S python3 -B
"""Start to READY: from the exec of the device build to its READY=1 on the notify socket. Warm file cache.

Usage: benches/measure/start.py [RUNS] [--journal FILE]    (50 runs; FILE is copied first)

Beside it, the same time for a program that does nothing but end, so that the machine's own part is seen.
"""

import argparse
import statistics
import subprocess
import time

from terminal import Terminal


def in_ms(times):
    times = [1000 * seconds for seconds in times]
    return f"median {statistics.median(times):.1f} ms, min {min(times):.1f}, max {max(times):.1f}"


def seconds_to_run(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("runs", type=int, nargs="?", default=50)
    arguments.add_argument("--journal")
    arguments = arguments.parse_args()
    terminal = Terminal(journal=arguments.journal)
    first = terminal.start()
    terminal.stop()
    print(f"first start{'' if arguments.journal else ', which makes the journal'}: {1000 * first:.1f} ms")
    ready, nothing, version = [], [], []
    for _ in range(arguments.runs):
        ready.append(terminal.start())
        terminal.stop()
        nothing.append(seconds_to_run(["true"]))
        version.append(seconds_to_run([terminal.program, "--version"]))
    print(f"start to READY:       {in_ms(ready)} ({arguments.runs} runs)")
    print(f"exec and end of true: {in_ms(nothing)}")
    print(f"till --version:       {in_ms(version)}")
    terminal.remove()


main()
