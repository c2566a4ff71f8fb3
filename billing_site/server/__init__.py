"""Running the site on one machine: the embedded PostgreSQL, the web workers, the job cluster and their supervisor."""
