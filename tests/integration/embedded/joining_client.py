"""A program that joins the database of the folder given, prints its URL, and leaves when its input ends."""

import sys
from pathlib import Path

from adapters.embedded import embedded_postgres

if __name__ == "__main__":
    with embedded_postgres(Path(sys.argv[1])) as database:
        sys.stdout.write(database.url() + "\n")
        sys.stdout.flush()
        sys.stdin.read()
