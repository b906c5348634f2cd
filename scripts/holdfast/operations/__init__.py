"""One module per verb: everything comes in as arguments, a report goes out, nothing is printed."""
