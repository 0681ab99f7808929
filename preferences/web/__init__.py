"""The HTTP edges. They translate: requests into calls of services, results and errors into pages and JSON."""
