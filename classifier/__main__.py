"""`python -m classifier`: the same program as the command `classifier`.

In: the command line. Out: an exit code. Never does anything itself.
"""

from classifier.cli import main

if __name__ == "__main__":
    main()
