"""What must hold in the ledger at any moment. Each function selects what contradicts it."""
