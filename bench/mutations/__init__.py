"""The verdict on trial: set-ups that are broken on purpose, on the live cluster, with real experiments.

`python -m bench mutations --stack chaos` breaks the deployed stack in one way, does the fitting experiment as
`tidegate chaos` does it, puts the stack back, and compares what the verdict said with what is true. A verdict
that has never said "not held" of a broken set-up has proven nothing by saying "held" of a sound one.
"""
