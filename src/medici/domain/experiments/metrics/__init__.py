"""Metrics: what an experiment may be judged by, and how each is put together from facts.

Nouns: metric (a key, what kind it is, which way is good, how long outcomes count), measure (what is
added up of one user), formula (a metric out of measures). All of it is per user.

What counts as what:

- A **paid activation** is a trusted ``subscription_activated`` that did not begin with a trial, or
  a trusted ``trial_converted``; billing records neither for sandboxes nor for what operators give.
  A user's *first ever* is what converts: whoever has one before their exposure had already paid
  and stays out of numerator and denominator alike. A trial is not paid, and no pack is a plan.
- A **checkout** is any of three names, whoever reports it, because the sheet of an app's store is
  seen by the client alone.
- **Renders** are trusted facts that tell how a render ended; a preview or final counts as charged
  once it was delivered, since that is when its price is captured.
- **Revenue** is what stores confirmed of production payments in US dollars, packs included, less
  refunds. Other currencies are not added up.
- ``event:<name>`` takes a client's word, unless the server itself reports facts of that name.
"""
