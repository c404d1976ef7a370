"""What can carry the application: one Uvicorn process, Gunicorn with Uvicorn workers, Hypercorn."""
