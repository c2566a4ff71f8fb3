"""Reads of documents and drafts."""

from invoicing.queries.compute import Computation, computation, compute
from invoicing.queries.due import Due, due_customers, next_due

__all__ = ["Computation", "Due", "computation", "compute", "due_customers", "next_due"]
