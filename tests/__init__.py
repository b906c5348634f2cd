"""The tests of Holdfast; `python3 -m tests` runs them."""
