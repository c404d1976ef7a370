"""What the service does, in its own words; transactions begin and end here."""
