"""The October story: a company that sells API calls and tokens, and its customer Acme, told through the HTTP API."""
