"""The page in a browser, and its API over HTTP: a second caller of the operations."""
