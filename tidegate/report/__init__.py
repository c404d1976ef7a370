"""The report of one run: a single HTML file that needs nothing else."""

from tidegate.report.data import collect
from tidegate.report.gallery import write_gallery
from tidegate.report.model import ReportData
from tidegate.report.write import write_report

__all__ = ["ReportData", "collect", "write_gallery", "write_report"]
