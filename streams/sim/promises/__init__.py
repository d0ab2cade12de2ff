"""The promises of the product, each a checker that looks at a run from outside and says what is broken, about which message."""
