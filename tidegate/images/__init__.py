"""The catalogue of images and tools: each is pulled where a registry answers, or built from packages."""
