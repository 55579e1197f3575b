"""Workbooks: openpyxl makes the frame, and the rows are streamed into it."""
