"""Time and memory of processes, and tables of what was found."""

import math
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


# A process begins with the peak of the one that starts it: this one is small.
LAUNCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
sys.exit(status != 0)
"""


@dataclass
class Measured:
    """What a process answered, the seconds it took, and what the whole process used."""

    answer: str
    seconds: float
    megabytes: float
    processor_seconds: float

    def __str__(self):
        return (f"{self.seconds:.2f} s, {self.processor_seconds:.2f} s of the processor, "
                f"{self.megabytes:.0f} MB")


def say(text):
    print(text, file=sys.stderr, flush=True)


def answered(command):
    """From the first line of a process, when it is ready, to the second one, the answer."""
    with launched(command) as process:
        process.stdout.readline()
        begin = time.perf_counter()
        answer = process.stdout.readline()
        seconds = time.perf_counter() - begin
        return Measured(answer, seconds, *usage(process, command))


def whole(command):
    """From the start of a process to its end."""
    begin = time.perf_counter()
    with launched(command) as process:
        used = usage(process, command)
        return Measured("", time.perf_counter() - begin, *used)


def launched(command):
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, *map(str, command)]
    environment = {"LOYALAKE_LOG": "warn", **os.environ}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def usage(process, command):
    """Peak megabytes and seconds of the processor, once the process has ended."""
    last_line = process.stdout.read().splitlines()[-1]
    if process.wait():
        raise SystemExit(f"failed: {' '.join(map(str, command))[:500]}")
    kilobytes, processor_seconds = map(float, last_line.split())
    return kilobytes / 1024, processor_seconds


@contextmanager
def cores(count):
    """Keeps this process, and those that it starts, on so many cores."""
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_cores)[-count:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def machine(used_cores):
    """A line about where the figures come from."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in cpus if "model name" in line),
                 platform.machine())
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (f"{model}, {used_cores} of {os.cpu_count()} cores used, {gigabytes:.0f} GB of memory, "
            f"Linux {platform.release()}, Python {platform.python_version()}")


def table(header, rows):
    print("\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def spread(ratios):
    """The median, then the least and the largest."""
    figure = "{:.2g}×" if statistics.median(ratios) < 10 else "{:.0f}×"
    values = (statistics.median(ratios), min(ratios), max(ratios))
    median, least, most = (figure.format(value) for value in values)
    return f"{median} ({least} to {most})"


def exponent(sizes, seconds):
    """Of the power of the size by which time grows: least squares of logarithms."""
    x, y = ([math.log(value) for value in values] for values in (sizes, seconds))
    return statistics.linear_regression(x, y).slope
