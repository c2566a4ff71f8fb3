"""The price list over HTTP. Each view translates, and calls once."""
