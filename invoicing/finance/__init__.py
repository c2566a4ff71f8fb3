"""What the company has sold, at which prices and to whom: tables for finance, and each of them as a sheet."""
