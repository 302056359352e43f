"""The business, one package per capability. Imports point down the order of the house."""
