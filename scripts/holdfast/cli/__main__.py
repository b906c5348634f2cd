"""`python -m holdfast.cli VERB`, for what starts Holdfast without its scripts."""

import sys

from holdfast.cli.run import main

if __name__ == "__main__":
    sys.exit(main())
