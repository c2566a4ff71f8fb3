"""The pricing units that everybody knows by id."""

from uuid import UUID

# The compatible API's constant; the unit of whoever names none.
USD_ID = UUID("2714e483-4ff1-48e4-9e25-ac732e8f24f2")
