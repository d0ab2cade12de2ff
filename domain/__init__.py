"""The rules of Hermes: pure functions over values. Time, ids and chance come in; answers go out."""
