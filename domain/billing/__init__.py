"""Reservations, charges and the account of a tenant."""
