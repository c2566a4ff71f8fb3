"""The pages that customers see: signed in, or as staff who may view customers and their documents."""
