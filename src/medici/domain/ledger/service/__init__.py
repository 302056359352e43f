"""Commands of the ledger. Each locks the wallet, looks, decides on a book and writes it once."""
