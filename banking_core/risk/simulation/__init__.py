"""Generated customers and frauds: what the shipped model is trained and judged on. See docs/risk.md."""
