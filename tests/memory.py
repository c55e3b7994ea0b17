"""Memory of a piece of code, measured in a process of its own."""

import subprocess
import sys

COURSE = """
# The package's front loads torch, for which none of its readers of files asks, and which takes two seconds.
import types, xmr_lib
sys.modules["xmr_lib.course"] = package = types.ModuleType("xmr_lib.course")
package.__path__ = [xmr_lib.__path__[0] + "/course"]
"""
SCRIPT = """
import resource, sys
{imports}
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
try:
    {code}
    said = "read"
except XmrError as error:
    said = str(error)
print(peak() - before)
print(said)
"""


def memory_of(imports: str, code: str, *arguments: object) -> tuple[int, str]:
    """Return the megabytes by which ``code`` makes the process grow, and "read" or the line that it was refused with.

    ``code`` is one line and finds ``arguments`` as texts in ``sys.argv[1:]``; ``imports`` of the course's readers
    begin with ``COURSE``.
    """
    imports = f"from xmr_lib.errors import XmrError\n{imports}"
    script = SCRIPT.format(imports=imports, code=code)
    # Linux counts the memory of whoever starts a program as the program's own: the shell between is small.
    command = ["/bin/sh", "-c", '"$@"; exit', "sh", sys.executable, "-c", script, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    megabytes, said = ran.stdout.splitlines()
    return int(megabytes), said
