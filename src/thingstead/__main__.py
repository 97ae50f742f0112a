"""``python -m thingstead`` is ``thingstead``."""

import sys

from thingstead.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
