"""The paper's tables counted again: what it prints, what we count, and why they differ."""
