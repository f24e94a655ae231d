"""The formats that are read, one file for each maker or kind of tool: tables of fields.

A module here holds `READERS`. It imports only `costmodel.ingest.reader`.
"""
