"""`python -m kanlab` does what the `kanlab` command does."""

import sys

from kanlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
