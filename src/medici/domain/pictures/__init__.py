"""Pictures: what customers brought and what was made for them, in storage and signed for.

Nouns: picture (one stored image with an owner and a purpose), signed URL.
Verbs: keep, use, find, sign, sweep.
Invariants: a row is written after its bytes are stored, so each row has its bytes; an upload that
no job used goes after a day; a picture is only ever shown to its owner.
"""
