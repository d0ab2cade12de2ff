"""Admission: the ten layers, one after the other, and the answer."""
