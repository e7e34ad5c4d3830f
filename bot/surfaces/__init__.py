"""What every surface towards strangers shares: refusals, proof of origin, bodies, rates. Knows no channel, no desk."""
