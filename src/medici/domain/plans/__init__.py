"""What is sold and how it is tuned: plans, styles and variables, the operator's to edit.

A *plan* says how many credits a day it gives and what a render costs in it. A *style* is a look
with the words that a provider gets. A *variable* is read at run time by whoever defines a
``Tunable`` for it; a value that makes no sense counts as the default. Defaults are installed into
empty tables alone, so what an operator deletes stays deleted.
"""
