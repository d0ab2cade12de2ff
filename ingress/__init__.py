"""The ways in: REST, and what they share to hand submissions over and to know their tenants."""
