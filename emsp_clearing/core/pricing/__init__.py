"""Prices a session by OCPI tariffs, and explains the price."""
