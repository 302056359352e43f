"""Image providers behind one Protocol.

A provider is asked for a picture (``RenderRequest``), answers with a ``Submission``, is polled for
``Observation``s and gives ``Artifact``s. Everything that it can do wrong has a ``FailureCode``.
"""
