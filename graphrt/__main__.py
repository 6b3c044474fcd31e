"""`python -m graphrt` is `graphrt`."""

from graphrt.cli import main

if __name__ == "__main__":
    main()
