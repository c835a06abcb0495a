"""`python -m cli`: the program where its script is not on the path."""

from cli.app import main

main()
