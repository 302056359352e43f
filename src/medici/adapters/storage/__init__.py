"""Where files are kept: a directory of this machine, or a bucket of S3 and its kin.

A *key* names an object, is made by us from ids and never from what a customer typed, and says the
content type by its extension. Objects are whole: written at once, replaced at once. A *signed link*
lets one file be fetched by whoever holds it, for a while.
"""
