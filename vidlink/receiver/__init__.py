"""The receiver: put packets together again, decode what there is, recognize."""
