"""What the law asks: quiet hours, consent, who must not be written to."""
