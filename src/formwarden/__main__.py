"""`python -m formwarden` is the command `formwarden`."""

import sys

from formwarden.cli import main

if __name__ == "__main__":
    sys.exit(main())
