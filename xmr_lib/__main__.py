"""``python -m xmr_lib``: the command where a module is asked for, as by torchrun."""

from .cli import main

main()
