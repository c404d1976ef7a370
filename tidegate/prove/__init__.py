"""The main job: deploy, load, record, judge, report."""
