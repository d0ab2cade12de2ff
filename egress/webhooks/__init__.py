"""The way to the tenants: signed callbacks, kept in PostgreSQL until they are delivered."""
