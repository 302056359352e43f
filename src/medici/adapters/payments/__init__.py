"""The stores that sell for us: what they report, put into one shape.

Nouns: *news* is what one message of a store tells; it holds *standings* (how a purchase lineage
stands), *payments* (one paid period, one pack) and *refunds*. Each store has a package that proves
where a message comes from, reads it into news, and asks the store about what it did not say.
"""
