"""What Snakemake does first at every start, done once by a process that waits (warm_python.py).

It looks for its plugins among all installed packages.
"""

from snakemake import cli

cli.get_argument_parser()
