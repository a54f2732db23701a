"""`python -m callconfig` is the `callconfig` command."""

import sys

from .cli import main

sys.exit(main())
