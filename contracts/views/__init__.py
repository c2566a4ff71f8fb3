"""The API of customers and contracts: read the request, call one service or query, show the answer."""
