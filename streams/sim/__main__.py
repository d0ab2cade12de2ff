"""`python -m streams.sim`: the same as `hermes sim`."""

import sys

from streams.sim import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
